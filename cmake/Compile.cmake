# How everything is compiled: warnings, sanitizers, hardening.
set(SANITIZE "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined or thread")
option(HARDEN "Fortify, stack protector, PIE and full RELRO" OFF)
option(FUZZ "Build the libFuzzer targets under test/fuzz (clang only)" OFF)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_CLANG_TIDY)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum)
if(NOT SANITIZE)
  # Instrumented code makes GCC 12 warn falsely (promotions that UBSan rewrites, coroutine frames,
  # std::function, Asio's fences); the plain builds see every warning, and see it as an error.
  target_compile_options(warnings INTERFACE -Werror)
endif()

if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False where the file behind an #include is one of the group's own.
  target_compile_options(warnings INTERFACE -Wno-subobject-linkage)
endif()

if(SANITIZE)
  add_compile_options(-fsanitize=${SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)
  endif()
endif()

if(FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(HARDEN)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False in GCC 12's optimised coroutine frames and std::function.
    add_compile_options(-Wno-mismatched-new-delete -Wno-maybe-uninitialized)
  endif()
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
