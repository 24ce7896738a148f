// Package smpp speaks SMPP 3.4 as an ESME, the client of an SMSC: bind, submit_sm,
// deliver_sm, enquire_link in both directions, unbind. Sections named are those of the
// Short Message Peer to Peer Protocol Specification v3.4, issue 1.2.
//
//	Dial ─► bind_transceiver ─► Session
//	Session.Submit ─► window ─► submit_sm ─► submit_sm_resp: the message's id, or a StatusError
//	deliver_sm ─► Config.Deliver ─► deliver_sm_resp with the status that it returned
//
// It knows nothing of inboxes or of what a message says.
package smpp
