package chat_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weftline/weftline/services/chat"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"allowed_origins": "https://good.com, https://other.example:8443"})
	for origin, want := range map[string]int{
		w.server.URL: 101, "https://good.com": 101, "https://GOOD.com:443": 101, "https://other.example:8443": 101,
		"": 403, "null": 403, "https://good.com.evil": 403, "https://evilgood.com": 403, "http://good.com": 403,
		"https://good.com:444": 403, "https://other.example": 403, "https://good.com@evil.com": 403,
		"https://sub.good.com": 403, "https://good.com/": 403, "javascript:alert(1)": 403, "file://": 403,
	} {
		v, resp, err := w.dial(origin)
		if resp == nil {
			t.Fatalf("origin %q: %v", origin, err)
		}
		if resp.StatusCode != want {
			t.Errorf("origin %q: %d, want %d", origin, resp.StatusCode, want)
		}
		if err == nil {
			v.conn.Close()
		}
	}
	resp := w.get("/chat/shop/frame", "")
	policy := resp.Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(policy, "frame-ancestors 'self' https://good.com https://other.example:8443") || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") {
		t.Errorf("policy %q", policy)
	}
}

func TestSettingsAreCheckedAtEveryChange(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"allowed_origins": "https://good.com"})
	v, _, err := w.dial("https://good.com")
	if err != nil {
		t.Fatal(err)
	}
	v.send(frame{"type": "hello"})
	v.await("welcome")
	w.inboxes.set("shop", map[string]string{})
	if code := v.closed(); code != 4003 {
		t.Errorf("origin withdrawn: %d", code)
	}
	v = w.visit(frame{})
	v.await("welcome")
	w.inboxes.set("shop", map[string]string{"identity": "required", "jwt_keys": "k1:HS256:" + secret})
	if code := v.closed(); code != 4001 {
		t.Errorf("identity required now: %d", code)
	}
	w.inboxes.set("shop", nil)
	if resp := w.get("/chat/shop/frame", ""); resp.StatusCode != 404 {
		t.Errorf("inbox gone: %d", resp.StatusCode)
	}
}

const secret = "0123456789abcdef0123456789abcdef"

func TestForgedToken(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.inboxes.set("other", map[string]string{})
	good := w.visit(frame{}).await("welcome").str("token")
	raw, _ := base64.RawURLEncoding.DecodeString(good)
	raw[3] ^= 1
	for name, token := range map[string]string{
		"flipped bit": base64.RawURLEncoding.EncodeToString(raw), "cut": good[:len(good)-2], "longer": good + "AA",
		"zeros": strings.Repeat("A", 43), "nonsense": "' or 1=1", "not canonical": good[:len(good)-1] + "_",
	} {
		v := w.visit(frame{"token": token})
		f := v.next()
		if f.str("code") != "token_invalid" || v.closed() != 4001 {
			t.Errorf("%s: %v, %d", name, f, v.code)
		}
	}
	// A token of one inbox is nothing in another.
	v := w.visitInbox("other", frame{"token": good})
	if f := v.next(); f.str("code") != "token_invalid" {
		t.Errorf("other inbox: %v", f)
	}
}

type keys struct {
	ed       ed25519.PrivateKey
	ec       *ecdsa.PrivateKey
	edPEM    string
	ecPEM    string
	settings map[string]string
}

func newKeys(t *testing.T, mode string) keys {
	t.Helper()
	pub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	export := func(k any) string {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	k := keys{ed: ed, ec: ec, edPEM: export(pub), ecPEM: export(&ec.PublicKey)}
	k.settings = map[string]string{
		"identity": mode,
		"jwt_keys": "k1:HS256:" + secret + "\nold:HS256:" + strings.Repeat("o", 40) + "\ned:EdDSA:" + k.edPEM + "ec:ES256:" + k.ecPEM,
	}
	return k
}

func sign(t *testing.T, method jwt.SigningMethod, key any, kid any, change func(jwt.MapClaims, map[string]any)) string {
	t.Helper()
	now := time.Now()
	c := jwt.MapClaims{"sub": "42", "aud": "shop", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "name": "Ada", "email": "ada@example.org"}
	tok := jwt.NewWithClaims(method, c)
	if kid != nil {
		tok.Header["kid"] = kid
	}
	if change != nil {
		change(c, tok.Header)
	}
	s, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLogins(t *testing.T) {
	t.Parallel()
	k := newKeys(t, "required")
	w := start(t, k.settings)
	hs := func(change func(c jwt.MapClaims, h map[string]any)) string {
		return sign(t, jwt.SigningMethodHS256, []byte(secret), "k1", change)
	}
	claim := func(key string, v any) string {
		return hs(func(c jwt.MapClaims, _ map[string]any) {
			if c[key] = v; v == nil {
				delete(c, key)
			}
		})
	}
	for name, token := range map[string]string{
		"HS256": hs(nil), "older key": sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("o", 40)), "old", nil),
		"EdDSA": sign(t, jwt.SigningMethodEdDSA, k.ed, "ed", nil), "ES256": sign(t, jwt.SigningMethodES256, k.ec, "ec", nil),
		"several audiences": claim("aud", []string{"x", "shop"}),
	} {
		v := w.visit(frame{"jwt": token})
		if f := v.next(); f.str("type") != "welcome" || f["login"] == nil {
			t.Errorf("%s refused: %v", name, f)
		}
	}
	past := time.Now().Add(-2 * time.Hour)
	for name, c := range map[string]struct{ token, code string }{
		"none at all":        {"", "login_required"},
		"expired":            {hs(func(c jwt.MapClaims, _ map[string]any) { c["iat"], c["exp"] = past.Unix(), past.Add(time.Hour).Unix() }), "login_expired"},
		"no exp":             {claim("exp", nil), "login_invalid"},
		"no iat":             {claim("iat", nil), "login_invalid"},
		"from the future":    {hs(func(c jwt.MapClaims, _ map[string]any) { c["iat"] = time.Now().Add(10 * time.Minute).Unix() }), "login_invalid"},
		"lives two hours":    {claim("exp", time.Now().Add(2*time.Hour).Unix()), "login_invalid"},
		"no sub":             {claim("sub", nil), "login_invalid"},
		"empty sub":          {claim("sub", ""), "login_invalid"},
		"sub with newline":   {claim("sub", "4\n2"), "login_invalid"},
		"sub is a number":    {claim("sub", 42), "login_invalid"},
		"long sub":           {claim("sub", strings.Repeat("x", 256)), "login_invalid"},
		"other inbox":        {claim("aud", "other"), "login_invalid"},
		"no aud":             {claim("aud", nil), "login_invalid"},
		"alg none":           {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "k1", nil), "login_invalid"},
		"wrong secret":       {sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), "k1", nil), "login_invalid"},
		"HS384 with the key": {sign(t, jwt.SigningMethodHS384, []byte(secret), "k1", nil), "login_invalid"},
		"public key as HMAC": {sign(t, jwt.SigningMethodHS256, []byte(k.edPEM), "ed", nil), "login_invalid"},
		"EC key as HMAC":     {sign(t, jwt.SigningMethodHS256, []byte(k.ecPEM), "ec", nil), "login_invalid"},
		"EdDSA under HS kid": {sign(t, jwt.SigningMethodEdDSA, k.ed, "k1", nil), "login_invalid"},
		"no kid":             {sign(t, jwt.SigningMethodHS256, []byte(secret), nil, nil), "login_invalid"},
		"kid is a path":      {sign(t, jwt.SigningMethodHS256, []byte(secret), "../../k1", nil), "login_invalid"},
		"kid is SQL":         {sign(t, jwt.SigningMethodHS256, []byte(secret), "k1' or '1'='1", nil), "login_invalid"},
		"kid is a list":      {sign(t, jwt.SigningMethodHS256, []byte(secret), []string{"k1"}, nil), "login_invalid"},
		"jku":                {sign(t, jwt.SigningMethodEdDSA, otherKey(), "evil", func(_ jwt.MapClaims, h map[string]any) { h["jku"] = "https://evil.example/keys" }), "login_invalid"},
		"embedded key":       {sign(t, jwt.SigningMethodEdDSA, otherKey(), "ed", func(_ jwt.MapClaims, h map[string]any) { h["jwk"] = map[string]any{"kty": "OKP"} }), "login_invalid"},
		"not a token":        {"a.b.c", "login_invalid"},
		"9 KB":               {claim("name", strings.Repeat("x", 9000)), "login_invalid"},
		"signature cut":      {strings.TrimRight(hs(nil), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), "login_invalid"},
	} {
		v := w.visit(frame{"jwt": c.token})
		f := v.next()
		if f.str("code") != c.code || v.closed() != 4001 {
			t.Errorf("%s: %v, closed with %d", name, f, v.code)
		}
	}
	if n := w.hub.accepted(); n != 0 {
		t.Errorf("%d inputs came from nobody", n)
	}
}

func otherKey() ed25519.PrivateKey {
	_, k, _ := ed25519.GenerateKey(rand.Reader)
	return k
}

func TestLoginFollowsAndAnonymousStays(t *testing.T) {
	t.Parallel()
	k := newKeys(t, "optional")
	w := start(t, k.settings)
	as := func(sub string) string {
		return sign(t, jwt.SigningMethodHS256, []byte(secret), "k1", func(c jwt.MapClaims, _ map[string]any) { c["sub"] = sub })
	}
	anon := w.visit(frame{})
	first := anon.await("welcome")
	anon.send(message(1, "before the login"))
	anon.await("ack")

	ada := w.visit(frame{"token": first.str("token"), "who": first.str("who"), "after": "000000001", "jwt": as("ada")})
	adaHello := ada.await("welcome")
	if adaHello["reset"] != true || adaHello.str("token") != first.str("token") {
		t.Errorf("welcome after login %v", adaHello)
	}
	if items := ada.await("messages")["items"].([]any); len(items) != 0 {
		t.Errorf("anonymous history shown to a login: %v", items)
	}
	ada.send(message(2, "as Ada"))
	ada.await("ack")
	hint, err := w.adapter.Parse(w.hub.raw(1))
	if err != nil {
		t.Fatal(err)
	}
	if m := hint[0].Message; m.ClaimsHandle != nil || m.Assurance > 2 || m.From.Address != w.hub.address(0) || m.Flags[0] != "automatic" {
		t.Errorf("hint %+v proves too much", m)
	}
	items, err := w.adapter.Parse(w.hub.raw(2))
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	if m.From.Address != "sub:ada" || m.Assurance != 4 || m.ClaimsHandle == nil || m.ClaimsHandle.Kind != chat.KindExternal || m.ClaimsHandle.Address != "ada" || m.ClaimsHandle.Scope != "shop" {
		t.Errorf("message %+v", m)
	}
	// A resend of the anonymous message after the login is still the same message.
	ada.send(message(1, "before the login"))
	ada.await("ack")
	if n := w.hub.accepted(); n != 3 {
		t.Errorf("%d inputs", n)
	}

	phone := w.visit(frame{"jwt": as("ada")})
	phone.await("welcome")
	if items := phone.await("messages")["items"].([]any); len(items) != 1 || items[0].(map[string]any)["text"] != "as Ada" {
		t.Errorf("the phone sees %v", items)
	}

	bob := w.visit(frame{"token": first.str("token"), "jwt": as("bob")})
	bobHello := bob.await("welcome")
	if bobHello.str("token") == first.str("token") {
		t.Error("another login kept the visitor of the first")
	}
	if items := bob.await("messages")["items"].([]any); len(items) != 0 {
		t.Errorf("Bob sees %v", items)
	}
	back := w.visit(frame{"token": first.str("token")})
	back.await("welcome")
	for _, it := range back.await("messages")["items"].([]any) {
		if strings.Contains(fmt.Sprint(it), "as Ada") {
			t.Error("a verified conversation is shown without the login")
		}
	}
}

func TestLoginEndsWhenItExpires(t *testing.T) {
	t.Parallel()
	k := newKeys(t, "optional")
	now := time.Now()
	w := start(t, k.settings, func(d *chat.Deps) {
		d.Now = func() time.Time { return now.Add(time.Hour + 29*time.Second + 990*time.Millisecond) }
	})
	v := w.visit(frame{"jwt": sign(t, jwt.SigningMethodHS256, []byte(secret), "k1", func(c jwt.MapClaims, _ map[string]any) {
		c["iat"], c["exp"] = now.Unix()+1, now.Unix()+3601
	})})
	v.await("welcome")
	if f := v.await("error"); f.str("code") != "login_expired" {
		t.Errorf("error %v", f)
	}
	if v.closed() != 4001 {
		t.Errorf("closed with %d", v.code)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	check := chat.Channel().Check
	if err := check(map[string]string{}); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for key, values := range map[string][]string{
		"allowed_origins":     {"good.com", "https://*.good.com", "https://a.com/path", "https://a.com; script-src *", "ftp://a.com"},
		"identity":            {"maybe", "required"},
		"jwt_keys":            {"k1", "k1:HS256:short", "k1:none:" + secret, "k1:RS256:" + secret, "a/b:HS256:" + secret, "k:HS256:" + secret + "\nk:HS256:" + secret, "k:EdDSA:-----BEGIN PUBLIC KEY-----", "k:HS256:-----BEGIN PUBLIC KEY----------END"},
		"colour":              {"red", "#12345", "#123456;}"},
		"messages_per_minute": {"0", "-1", "many", "100001"},
		"greeting":            {strings.Repeat("ß", 501)},
	} {
		for _, v := range values {
			if err := check(map[string]string{key: v}); err == nil {
				t.Errorf("%s = %q was taken", key, v)
			} else if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error tells the secret", key)
			}
		}
	}
}
