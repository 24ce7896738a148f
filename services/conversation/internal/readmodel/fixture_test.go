package readmodel_test

import "encoding/json"

func decodeJSON(t interface{ Fatalf(string, ...any) }, b []byte, v any) {
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("decode %s: %v", b, err)
	}
}
