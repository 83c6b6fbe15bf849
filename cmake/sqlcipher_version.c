/* Prints SQLCipher's version; fails where it is older than 4.5. */
#define SQLITE_HAS_CODEC
#include <sqlcipher/sqlite3.h>
#include <stdio.h>

static int keep(void* version, int columns, char** values, char** names) {
  (void)names;
  if (columns > 0 && values[0]) snprintf((char*)version, 64, "%s", values[0]);
  return 0;
}

int main(void) {
  sqlite3* db = 0;
  char version[64] = "";
  int major = 0, minor = 0;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 2;
  sqlite3_key(db, "version", 7);
  sqlite3_exec(db, "PRAGMA cipher_version", keep, version, 0);
  sqlite3_close(db);
  puts(version[0] ? version : "plain SQLite");
  if (sscanf(version, "%d.%d", &major, &minor) != 2) return 3;
  return major > 4 || (major == 4 && minor >= 5) ? 0 : 4;
}
