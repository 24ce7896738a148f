package console

import (
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

var errorWriter = connect.NewErrorWriter()

// refuse answers what is below /api/ as every call is refused: JSON with code, message and details.
func refuse(w http.ResponseWriter, r *http.Request, code connect.Code, message string) {
	_ = errorWriter.Write(w, r, connect.NewError(code, errors.New(message)))
}

// refuseField names the field that is wrong, as calls do.
func refuseField(w http.ResponseWriter, r *http.Request, field, problem string) {
	err := connect.NewError(connect.CodeInvalidArgument, errors.New(field+": "+problem))
	if detail, failed := connect.NewErrorDetail(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: problem}}}); failed == nil {
		err.AddDetail(detail)
	}
	_ = errorWriter.Write(w, r, err)
}
