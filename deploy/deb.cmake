# The Debian package: what `cmake --install` installs, and files of the whole system, which only a package may lay down
# and take away again (component "system"). scripts/test-package builds, installs and purges it.
set(WALRELAY_MAINTAINER "walrelay maintainers <maintainers@walrelay.invalid>" CACHE STRING "Who answers for the package")

configure_file(debian/changelog.in ${made}/changelog @ONLY)
add_custom_command(OUTPUT changelog.gz DEPENDS ${made}/changelog
  COMMAND ${GZIP} -9nc ${made}/changelog > changelog.gz COMMENT "" VERBATIM)
add_custom_target(package_files ALL DEPENDS changelog.gz)

set(of_system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES systemd/walrelay.service ${made}/walrelay@.service DESTINATION /usr/lib/systemd/system ${of_system})
install(FILES ${PROJECT_SOURCE_DIR}/config/walrelay.example.yaml DESTINATION /etc/walrelay RENAME walrelay.yaml
  PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ ${of_system})
install(FILES debian/copyright ${made}/changelog.gz ${PROJECT_SOURCE_DIR}/README.md DESTINATION /usr/share/doc/walrelay
  ${of_system})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME walrelay)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "keeps Redis in step with PostgreSQL by logical replication")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"One small process reads a logical replication slot and applies every insert,
update, delete and truncate to Redis, exactly once. It fills Redis with the
rows that exist, and compares, mends and rebuilds the whole while it streams.")
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};walrelay;ALL;/;${PROJECT_BINARY_DIR};walrelay;system;/")
set(CPACK_SET_DESTDIR ON)  # for the files of /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${WALRELAY_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, redis-server")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(script postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/debian/${script})
endforeach()
include(CPack)
