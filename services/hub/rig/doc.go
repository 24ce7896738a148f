// Package rig runs the hub's own binary against the servers of deploy/rig:
// Dovecot, OpenSMTPD, and an SMTP server that plays the rest of the world. All
// of it is in tests with the build tag rig; .ci/rig runs them.
package rig
