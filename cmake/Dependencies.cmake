# What Sealbook stands on. All of it comes from Debian packages; scripts/setup installs them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(nlohmann_json REQUIRED)
find_package(cxxopts REQUIRED)
find_package(tomlplusplus QUIET)
if(NOT TARGET tomlplusplus::tomlplusplus)
  pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
  add_library(tomlplusplus::tomlplusplus ALIAS PkgConfig::TOMLPLUSPLUS)
endif()

pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET "libsodium>=1.0.18")
add_library(sealbook::sodium ALIAS PkgConfig::SODIUM)

# The pkg-config file of SQLCipher gives SQLite's version and does not define SQLITE_HAS_CODEC,
# without which sqlite3_key is not declared. The real version is asked of the library itself, here
# and again when a vault is opened.
pkg_check_modules(SQLCIPHER REQUIRED IMPORTED_TARGET sqlcipher)
add_library(sealbook_sqlcipher INTERFACE)
target_link_libraries(sealbook_sqlcipher INTERFACE PkgConfig::SQLCIPHER)
target_compile_definitions(sealbook_sqlcipher INTERFACE SQLITE_HAS_CODEC)
add_library(sealbook::sqlcipher ALIAS sealbook_sqlcipher)

try_run(SQLCIPHER_RUN SQLCIPHER_COMPILED
  ${CMAKE_BINARY_DIR}/sqlcipher_version ${CMAKE_CURRENT_LIST_DIR}/sqlcipher_version.c
  CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${SQLCIPHER_INCLUDE_DIRS}"
  LINK_LIBRARIES ${SQLCIPHER_LINK_LIBRARIES}
  RUN_OUTPUT_VARIABLE SQLCIPHER_CIPHER_VERSION)
if(NOT SQLCIPHER_COMPILED OR NOT SQLCIPHER_RUN EQUAL 0)
  message(FATAL_ERROR "SQLCipher 4.5 or later is needed, found \"${SQLCIPHER_CIPHER_VERSION}\". "
                      "On Debian 12 it comes from bookworm-backports: run scripts/setup.")
endif()
string(STRIP "${SQLCIPHER_CIPHER_VERSION}" SQLCIPHER_CIPHER_VERSION)

pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET "libzstd>=1.4.0")
pkg_check_modules(OATH REQUIRED IMPORTED_TARGET liboath)
pkg_check_modules(QRENCODE REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(LIBSSH REQUIRED IMPORTED_TARGET "libssh>=0.10")

# libphonenumber and libcsv ship neither CMake nor pkg-config files.
find_path(PHONENUMBER_INCLUDE_DIR phonenumbers/phonenumberutil.h REQUIRED)
find_library(PHONENUMBER_LIBRARY phonenumber REQUIRED)
add_library(sealbook_phonenumber INTERFACE)
target_include_directories(sealbook_phonenumber SYSTEM INTERFACE ${PHONENUMBER_INCLUDE_DIR})
target_link_libraries(sealbook_phonenumber INTERFACE ${PHONENUMBER_LIBRARY} protobuf::libprotobuf)
add_library(sealbook::phonenumber ALIAS sealbook_phonenumber)

find_path(CSV_INCLUDE_DIR csv.h REQUIRED)
find_library(CSV_LIBRARY csv REQUIRED)
add_library(sealbook_csv INTERFACE)
target_include_directories(sealbook_csv SYSTEM INTERFACE ${CSV_INCLUDE_DIR})
target_link_libraries(sealbook_csv INTERFACE ${CSV_LIBRARY})
add_library(sealbook::csv ALIAS sealbook_csv)
