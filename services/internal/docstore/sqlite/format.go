package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/weftline/weftline/services/internal/docstore"
)

const (
	dataFormat    = 1
	applicationID = 0x57454654 // "WEFT"
)

// format checks the file's marks, or writes them into a new file.
func format(ctx context.Context, c *conn) error {
	var id, version, tables int64
	row := c.conn.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version`)
	if err := row.Scan(&id, &version, &tables); err != nil {
		return err
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		// One transaction: a crash between the marks and the tables would leave neither.
		_, err := c.conn.ExecContext(ctx, fmt.Sprintf(`BEGIN IMMEDIATE;
			PRAGMA application_id = %d;
			PRAGMA user_version = %d;
			CREATE TABLE IF NOT EXISTS collection (name TEXT PRIMARY KEY NOT NULL, spec TEXT NOT NULL);
			CREATE TABLE IF NOT EXISTS checkpoint (name TEXT NOT NULL, part INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (name, part));
			COMMIT`, applicationID, dataFormat))
		return err
	case id != applicationID:
		return errors.New("not a weftline database")
	case version > dataFormat:
		return fmt.Errorf("data format %d is newer than this program understands (%d): use a newer version", version, dataFormat)
	}
	return nil
}

// code is the extended result code, 0 when err is not SQLite's.
func code(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code()
	}
	return 0
}

// explain brings the driver's errors to those of the contract.
func explain(err error) error {
	if code(err) == lib.SQLITE_CONSTRAINT_UNIQUE {
		return docstore.ErrExists
	}
	return err
}

func noTransaction(err error) bool {
	return code(err) == lib.SQLITE_ERROR && strings.Contains(err.Error(), "no transaction is active")
}
