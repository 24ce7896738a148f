package audit

import (
	"connectrpc.com/connect"
)

// Outcome is what an RPC's error says to the record: refused with Connect's
// code as the reason, or failed when it is our side that could not.
func Outcome(err error) (outcome, reason string) {
	if err == nil {
		return OutcomeOK, ""
	}
	switch code := connect.CodeOf(err); code {
	case connect.CodeInvalidArgument, connect.CodeNotFound, connect.CodeAlreadyExists, connect.CodePermissionDenied, connect.CodeUnauthenticated,
		connect.CodeFailedPrecondition, connect.CodeAborted, connect.CodeOutOfRange, connect.CodeResourceExhausted, connect.CodeUnimplemented:
		return OutcomeRefused, code.String()
	default:
		return OutcomeFailed, code.String()
	}
}
