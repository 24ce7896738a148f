package matrix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/weftline/weftline/services/internal/hosted"
)

// maxTries is how often a room is tried to be joined that cannot be: hours, as the homeserver of who invited may be down.
const maxTries = 100

// Notices that a customer reads.
const (
	noticeGroup     = "This inbox talks to one person at a time. It cannot take part in rooms of more than two and leaves. Please write in a direct chat."
	noticeEncrypted = "This inbox cannot read encrypted rooms. Please write in a chat without encryption."
	reasonNotDirect = "This inbox only takes part in direct chats."
)

// invited joins the direct rooms we were invited to and declines the others. It
// returns what could not be joined yet.
func (f *follower) invited(ctx context.Context, got answer) map[string]int {
	open := maps.Clone(f.at.Invited)
	if open == nil {
		open = map[string]int{}
	}
	fresh := map[string]bool{}
	via := map[string]string{}
	for roomID, in := range got.Rooms.Invite {
		direct := false
		for _, raw := range in.State.Events {
			if e := decode(raw); e.Type == "m.room.member" && e.StateKey != nil && *e.StateKey == f.me {
				direct, via[roomID] = e.Content.Direct, serverOf(e.Sender)
			}
		}
		if !direct {
			f.leave(ctx, roomID, reasonNotDirect)
			f.a.remark(f.id, "an invitation to a room that is no direct chat was declined")
			continue
		}
		open[roomID], fresh[roomID] = 0, true
	}
	for roomID := range got.Rooms.Join { // somebody was faster
		delete(open, roomID)
	}
	for roomID := range got.Rooms.Leave { // it was taken back
		delete(open, roomID)
	}
	now := f.a.now()
	again := now.Sub(f.invitedAt) >= f.a.retry
	for _, roomID := range slices.Sorted(maps.Keys(open)) {
		if !fresh[roomID] && !again {
			continue
		}
		f.invitedAt = now
		err := f.join(ctx, roomID, via[roomID])
		if err == nil {
			delete(open, roomID)
			continue
		}
		open[roomID]++
		f.a.log.Warn("an invitation could not be followed", "channel", Name, "inbox", f.id, "tries", open[roomID], "error", err)
		if open[roomID] >= maxTries {
			delete(open, roomID)
			f.a.remark(f.id, "a room could not be joined: "+err.Error())
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open
}

func (f *follower) join(ctx context.Context, roomID, via string) error {
	where := path(client+"/join/%s", roomID)
	if via != "" {
		where += "?" + url.Values{"server_name": {via}}.Encode()
	}
	return f.a.call(ctx, f.id, f.c, http.MethodPost, where, struct{}{}, nil)
}

func (f *follower) leave(ctx context.Context, roomID, reason string) {
	err := f.a.call(ctx, f.id, f.c, http.MethodPost, path(client+"/rooms/%s/leave", roomID), map[string]string{"reason": reason}, nil)
	if err != nil && ctx.Err() == nil {
		f.a.log.Warn("a room could not be left", "channel", Name, "inbox", f.id, "error", err)
	}
}

// refuse leaves rooms of many and tells encrypted ones that they cannot be
// read. An error is one after which it should be tried again.
func (f *follower) refuse(ctx context.Context, b *batch) error {
	for _, roomID := range slices.Sorted(maps.Keys(b.groups)) {
		if !b.groups[roomID] {
			continue
		}
		if err := f.tell(ctx, roomID, "group", noticeGroup); err != nil {
			return err
		}
		f.leave(ctx, roomID, noticeGroup)
		f.a.remark(f.id, "a room of more than two was left: only direct chats are served")
		delete(b.sealed, roomID)
	}
	for _, roomID := range slices.Sorted(maps.Keys(b.sealed)) {
		if err := f.tell(ctx, roomID, "encrypted", noticeEncrypted); err != nil {
			return err
		}
		b.places[roomID].Told = true
		f.a.remark(f.id, "a customer writes in an encrypted room, which this inbox cannot read; he was told so")
	}
	return nil
}

// tell sends a notice. That nobody may write there is no error, nor is an answer that was lost.
func (f *follower) tell(ctx context.Context, roomID, why, text string) error {
	body := map[string]any{"msgtype": "m.notice", "body": text}
	err := f.a.call(ctx, f.id, f.c, http.MethodPut, path(client+"/rooms/%s/send/m.room.message/%s", roomID, "notice."+why), body, nil)
	if err == nil || refusedAs(err) || errors.Is(err, hosted.ErrUnknown) {
		return nil
	}
	return fmt.Errorf("send a notice: %w", err)
}

// remark is shown with the inbox's health.
func (a *Adapter) remark(id, what string) {
	acc := a.account(id)
	acc.mu.Lock()
	defer acc.mu.Unlock()
	acc.notice = fmt.Sprintf("%s: %s", a.now().UTC().Format("2006-01-02 15:04"), what)
}
