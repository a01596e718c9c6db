# pgveil_library(NAME SOURCES a.cpp ... [PUBLIC target ...] [PRIVATE target ...])
# A static library for one folder. Includes are written from the root: #include "keyshare/core/secret.hpp".
function(pgveil_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} warnings)
  compile_in_groups(${name} ${ARG_SOURCES})
endfunction()

# compile_quickly_if_sanitized(FILE): for files that are nearly all templates of a library and do little at run time
# (command lines, schemas). Instrumented and optimised, one of them compiles for a minute.
function(compile_quickly_if_sanitized file)
  if(SANITIZE)
    set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS -O0)
  endif()
endfunction()

# compile_in_groups(TARGET FILE...): what a unity build (CMakePresets.json) compiles as one, up to about eight files of a
# target. A file's group follows from its name, so that a new file changes no other group.
function(compile_in_groups target)
  set(groups 1)
  while(ARGC GREATER 8)
    math(EXPR ARGC "${ARGC} / 2")
    math(EXPR groups "${groups} * 2")
  endwhile()
  foreach(file ${ARGN})
    string(MD5 digest ${file})
    string(SUBSTRING ${digest} 0 4 digest)
    math(EXPR group "0x${digest} % ${groups}")
    set_source_files_properties(${file} PROPERTIES UNITY_GROUP "${group}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# compile_alone(FILE...): for files that cannot stand behind another of their group, because both have a name of their
# own in an unnamed namespace.
function(compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# pgveil_program(NAME SOURCES main.cpp ... LINKS target ...)
function(pgveil_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} warnings)
  compile_in_groups(${name} ${ARG_SOURCES})
  target_compile_definitions(${name} PRIVATE PGVEIL_VERSION="${PROJECT_VERSION}")
  compile_quickly_if_sanitized(main.cpp)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  if(name MATCHES "^pgveil")  # the others are for tests
    install(TARGETS ${name})
  endif()
endfunction()

# pgveil_test(NAME SOURCES a_test.cpp ... LINKS target ... [LABELS label ...])
# A GoogleTest program; every TEST becomes a CTest test, but under a sanitizer the program is one: to start an
# instrumented program takes longer than most tests. Vectors are found through PGVEIL_VECTORS.
function(pgveil_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gmock_main warnings)
  compile_in_groups(${name} ${ARG_SOURCES})
  # What is tested is optimised and checked as always; the tests themselves compile in half the time without. A null
  # pointer is found by AddressSanitizer, too.
  target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
  if(SANITIZE MATCHES undefined)
    target_compile_options(${name} PRIVATE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
  target_compile_definitions(${name} PRIVATE
    PGVEIL_VECTORS="${PROJECT_SOURCE_DIR}/test/vectors" PGVEIL_SOURCE="${PROJECT_SOURCE_DIR}")
  if(SANITIZE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS};program" COST 100)
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABELS}")
  endif()
endfunction()
