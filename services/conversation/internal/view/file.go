package view

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Kinds of files.
const (
	FileAttachment byte = 'a'
	FileOriginal   byte = 'o'
)

// ErrFileID: not an id of a file of this hub.
var ErrFileID = errors.New("file id is not valid")

const (
	filePurpose = "file"
	fileMAC     = 16
)

// FileID names a file of an entry. It is authenticated, so a look-up can trust it.
func (v *Viewer) FileID(kind byte, entry string, index int) string {
	b := binary.AppendUvarint([]byte{kind}, uint64(index))
	b = append(b, entry...)
	return base64.RawURLEncoding.EncodeToString(append(b, v.keys.MAC(filePurpose, b)[:fileMAC]...))
}

// ParseFileID reads it back, or says ErrFileID.
func (v *Viewer) ParseFileID(kind byte, id string) (entry string, index int, err error) {
	if len(id) > 1024 {
		return "", 0, ErrFileID
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(raw) < 3+fileMAC || raw[0] != kind {
		return "", 0, ErrFileID
	}
	b, mac := raw[:len(raw)-fileMAC], raw[len(raw)-fileMAC:]
	if !v.keys.VerifyMAC(filePurpose, b, mac) {
		return "", 0, ErrFileID
	}
	n, used := binary.Uvarint(b[1:])
	if used <= 0 || n > 10_000 {
		return "", 0, ErrFileID
	}
	return string(b[1+used:]), int(n), nil
}
