# What `cmake --install` and the Debian package hold. Programs install themselves (pgveil_program in Targets.cmake).
#   cpack --config build/release/CPackConfig.cmake -B DIR
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS  # whatever the umask is
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(docs ${CMAKE_INSTALL_DATADIR}/doc/pgveil)
set(packaging ${PROJECT_SOURCE_DIR}/scripts/packaging)

install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md CHANGELOG.md LICENSE docs/APPLICATIONS.md docs/CUSTODY.md docs/FORMATS.md docs/OPERATIONS.md docs/SECURITY.md
  docs/SQL.md docs/TPM.md docs/grafana.json DESTINATION ${docs})
# Kits, the module for browsers, the sample, and the page for protected files, as they are used: without what a build or a test left there.
install(DIRECTORY clients/ DESTINATION ${CMAKE_INSTALL_DATADIR}/pgveil/clients
  PATTERN node_modules EXCLUDE PATTERN __pycache__ EXCLUDE PATTERN target EXCLUDE PATTERN test EXCLUDE PATTERN tests EXCLUDE
  PATTERN *_test.go EXCLUDE PATTERN *.egg-info EXCLUDE PATTERN build EXCLUDE)
install(PROGRAMS clients/sample/app.py DESTINATION ${CMAKE_INSTALL_DATADIR}/pgveil/clients/sample)
install(DIRECTORY config/examples/ DESTINATION ${docs}/examples)
install(FILES config/pgveil.schema.json config/policy.schema.json config/agent.schema.json config/custodian.schema.json keyshare/custodian/openapi.json DESTINATION ${docs}/examples)
install(FILES ${packaging}/pgveil.service ${packaging}/pgveil.socket ${packaging}/pgveil-agent.service ${packaging}/pgveil-custodian.service DESTINATION lib/systemd/system)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pgveil)
set(CPACK_PACKAGE_VENDOR pgveil)
set(CPACK_PACKAGE_CONTACT "the pgveil maintainers <maintainers@pgveil.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "PostgreSQL proxy that keeps chosen columns encrypted")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A transparent proxy for the PostgreSQL protocol. Columns that a policy names
 are encrypted on the way to an unmodified server and decrypted on the way
 back. The key is split between user, application and proxy.")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/postinst ${packaging}/prerm ${packaging}/postrm)
include(CPack)
