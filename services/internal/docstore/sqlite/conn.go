package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// conn is one SQLite connection with its prepared statements. One goroutine at a time.
type conn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// stmt prepares a statement once in the life of the connection.
func (c *conn) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := c.stmts[query]; ok {
		return st, nil
	}
	st, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = st
	return st, nil
}

func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := c.run(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *conn) run(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (c *conn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// forget closes the prepared statements: after a change of tables they would
// be prepared anew one by one, and those of dropped tables stay for ever.
func (c *conn) forget() {
	for q, st := range c.stmts {
		_ = st.Close() // nothing to lose: the statement is not running
		delete(c.stmts, q)
	}
}

func open(path string, opts Options, pragmas ...string) (*sql.DB, error) {
	v := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", opts.BusyWait.Milliseconds())}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: v.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	return db, nil
}

func take(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{conn: c, stmts: map[string]*sql.Stmt{}}, nil
}

// pool hands out read connections, the one used last first: it has its
// statements prepared and its pages in memory.
type pool struct {
	db    *sql.DB
	slots chan struct{} // as many as there may be readers

	mu   sync.Mutex
	idle []*conn // the one used last at the end
}

func newPool(path string, opts Options) (*pool, error) {
	db, err := open(path, opts, "query_only(1)", "cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(opts.ReadConns)
	db.SetMaxIdleConns(opts.ReadConns)
	return &pool{db: db, slots: make(chan struct{}, opts.ReadConns)}, nil
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c
}

func (p *pool) push(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// with calls fn with a connection of its own.
func (p *pool) with(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	c := p.pop()
	if c == nil {
		var err error
		if c, err = take(context.WithoutCancel(ctx), p.db); err != nil {
			return err
		}
	}
	broken := true // also when fn panics
	defer func() {
		if broken {
			_ = c.conn.Close() // it is no use any more; the next one opens another
		} else {
			p.push(c)
		}
	}()
	err := fn(c)
	broken = errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
	return err
}

// close waits for readers.
func (p *pool) close() error {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	for c := p.pop(); c != nil; c = p.pop() {
		c.forget()
		_ = c.conn.Close() // the pool below reports
	}
	return p.db.Close()
}
