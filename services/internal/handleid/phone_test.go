package handleid_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/handleid"
)

// subscribers are different valid numbers, each with ways to write it.
var subscribers = []struct {
	region, normal string
	written        []string
}{
	{"DE", "+493012345678", []string{"030 12345678", "+49 (0)30 12345678", "0049 30 1234-5678", "+49-30-12345678", "＋４９ ３０ １２３４５６７８"}},
	{"DE", "+493012345679", []string{"030/12345679"}},
	{"DE", "+491701234567", []string{"0170 1234567", "+49 170 1234567"}},
	{"AT", "+431234567890", []string{"01 234567890"}},
	{"CH", "+41446681800", []string{"044 668 18 00"}},
	{"GB", "+442079460958", []string{"020 7946 0958", "+44 (0)20 7946 0958"}},
	{"GB", "+447400123456", []string{"07400 123456"}},
	{"US", "+12125550142", []string{"(212) 555-0142", "1-212-555-0142", "212.555.0142"}},
	{"US", "+12125550143", []string{"212 555 0143"}},
	{"CA", "+14165550142", []string{"416-555-0142"}},
	{"FR", "+33123456789", []string{"01 23 45 67 89"}},
	{"FR", "+33612345678", []string{"06.12.34.56.78"}},
	{"IT", "+390612345678", []string{"06 1234 5678"}},
	{"IT", "+393123456789", []string{"312 345 6789"}},
	{"ES", "+34912345678", []string{"912 345 678"}},
	{"PL", "+48123456789", []string{"12 345 67 89"}},
	{"NL", "+31612345678", []string{"06-12345678"}},
	{"IN", "+919876543210", []string{"098765 43210"}},
	{"AU", "+61412345678", []string{"0412 345 678"}},
	{"JP", "+81312345678", []string{"03-1234-5678"}},
	{"RU", "+79161234567", []string{"8 (916) 123-45-67"}},
	{"BR", "+5511987654321", []string{"+55 11 98765-4321", "+55 11 8765-4321", "(11) 98765-4321", "011 98765-4321", "(11) 8765-4321", "+551187654321"}},
	{"BR", "+5511987654322", []string{"+55 11 8765-4322"}},
	{"BR", "+5521987654321", []string{"+55 21 8765-4321"}},
	{"BR", "+551123456789", []string{"+55 11 2345-6789", "(11) 2345-6789"}},
	{"BR", "+5511912345678", []string{"+55 11 91234-5678"}},
	{"AR", "+541123456789", []string{"+54 9 11 2345-6789", "+54 11 2345-6789", "011 15 2345-6789", "+5491123456789", "011 2345-6789", "+54 11 15 2345-6789"}},
	{"AR", "+541123456780", []string{"+54 9 11 2345-6780"}},
	{"AR", "+543514567890", []string{"+54 9 351 456-7890", "0351 15 456-7890"}},
	{"MX", "+525512345678", []string{"+52 1 55 1234 5678", "+52 55 1234 5678", "55 1234 5678", "+5215512345678"}},
	{"MX", "+525512345679", []string{"+52 1 55 1234 5679"}},
	{"MX", "+528112345678", []string{"81 1234 5678"}},
	{"DE", "+493012345678;ext=12", []string{"030 12345678 ext. 12", "+49 30 12345678;ext=12", "+49 30 12345678 x12"}},
}

func TestOneFormOfEveryNumber(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range subscribers {
		n := handleid.Normaliser{Region: s.region}
		for _, w := range append(s.written, s.normal) {
			if got := n.Normalise("phone", w); got != s.normal {
				t.Errorf("%s in %s is %q, want %q", w, s.region, got, s.normal)
			}
			for region := range map[string]bool{"": true, "DE": true, "BR": true, "AR": true, "MX": true, "US": true} {
				if !strings.HasPrefix(w, "+") {
					continue
				}
				if got := (handleid.Normaliser{Region: region}).Normalise("phone", w); got != s.normal {
					t.Errorf("%s seen from %q is %q, want %q", w, region, got, s.normal)
				}
			}
		}
		if other, ok := seen[s.normal]; ok {
			t.Errorf("two subscribers are %s: %s", s.normal, other)
		}
		seen[s.normal] = s.region
	}
}

func TestNoNumberStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"204", "72345", "110", "Amazon", "1-800-FLOWERS", "MyBank24", "+49", "+1 555", "+999 12345678", "12", "anonymous", "", "sip:ada@x.org",
		"+550000000000", "5511987654321 or so",
	} {
		for _, region := range []string{"", "DE", "US", "BR", "AR", "MX"} {
			got := handleid.Normaliser{Region: region}.Normalise("phone", "  "+s+" ")
			if got != s {
				t.Errorf("%q in %q became %q", s, region, got)
			}
		}
	}
	if got := handleid.Normalise("phone", "030 12345678"); got != "030 12345678" {
		t.Errorf("without a region: %q", got)
	}
}

func TestRegionOfAnInbox(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, number, want string }{
		{"", "+49 30 12345678", "DE"},
		{"at", "+49 30 12345678", "AT"},
		{"XX", "+12125550142", "US"},
		{"", "+14165550142", "CA"},
		{"", "72345", ""},
		{"", "+800 1234 5678", ""},
	} {
		if got := handleid.For(c.region, c.number); got.Region != c.want {
			t.Errorf("%q, %q: %q, want %q", c.region, c.number, got.Region, c.want)
		}
	}
}

func TestNormalIsNormal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"phone", "email", "matrix", "chat", "telegram"}).Draw(t, "kind")
		n := handleid.Normaliser{Region: rapid.SampledFrom([]string{"", "DE", "US", "BR", "AR", "MX", "IT", "GB"}).Draw(t, "region")}
		s := rapid.OneOf(
			rapid.StringMatching(`\+?[0-9 ()./-]{3,20}`), rapid.StringMatching(`\+(55|54|549|52|521|49|1)[0-9]{6,11}`), rapid.StringMatching(`(011|0)?15?[0-9]{6,10}( ?x[0-9]{1,3})?`),
			rapid.StringMatching(`[a-zA-Z.+]{1,8}@[a-zA-Zäß.]{1,10}`), rapid.String(),
		).Draw(t, "address")
		stable(t, n, kind, s)
	})
}

type fataler interface{ Fatalf(string, ...any) }

func stable(t fataler, n handleid.Normaliser, kind, s string) {
	once := n.Normalise(kind, s)
	// A domain that ends with several dots is none; one is taken off it each time, and the ids stay.
	if twice := n.Normalise(kind, once); twice != once && (kind != "email" || !strings.HasSuffix(strings.TrimSpace(s), "..")) {
		t.Fatalf("%s %q in %q is %q, and that is %q", kind, s, n.Region, once, twice)
	}
	if kind == "phone" && strings.HasPrefix(once, "+") && once != strings.TrimSpace(s) {
		// It was read as a number: everybody reads it as that one.
		if got := handleid.Normalise(kind, once); got != once {
			t.Fatalf("%q in %q is %q, elsewhere that is %q", s, n.Region, once, got)
		}
	}
	for _, v := range handleid.Variants(kind, s) {
		if v == "" || v == handleid.Normalise(kind, s) {
			t.Fatalf("%s %q has the variant %q", kind, s, v)
		}
	}
}

// Whatever subscribers are drawn, in whatever form: equal when it is one, else not.
func TestNumbersAreNeverMerged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string) (int, string) {
			i := rapid.IntRange(0, len(subscribers)-1).Draw(t, name)
			s := subscribers[i]
			w := rapid.SampledFrom(append(s.written, s.normal)).Draw(t, name+" written")
			return i, handleid.Normaliser{Region: s.region}.Normalise("phone", w)
		}
		i, a := pick("one")
		j, b := pick("other")
		if (a == b) != (i == j) {
			t.Fatalf("subscribers %d and %d are %q and %q", i, j, a, b)
		}
	})
}

// The numbers of one area code are as many after as before.
func TestFormsKeepNumbersApart(t *testing.T) {
	t.Parallel()
	for _, area := range []string{"+55119", "+5491123", "+5215512", "+4930"} {
		seen := map[string]string{}
		for i := range 2000 {
			s := fmt.Sprintf("%s%0*d", area, map[string]int{"+55119": 8, "+5491123": 6, "+5215512": 6, "+4930": 8}[area], i*4999)
			n := handleid.Normalise("phone", s)
			if other, ok := seen[n]; ok {
				t.Fatalf("%s and %s are both %s", s, other, n)
			}
			seen[n] = s
		}
	}
}

func TestVariants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, in, want string }{
		{"email", "Ada.Lovelace+shop@Gmail.com", "ada.lovelace@gmail.com adalovelace@gmail.com"},
		{"email", "ada.lovelace@googlemail.com", "adalovelace@gmail.com"},
		{"email", "ada@googlemail.com", "ada@gmail.com"},
		{"email", "ada+x@example.org", "ada@example.org"},
		{"email", "a.da@example.org", ""},
		{"email", "+x@example.org", ""},
		{"email", "no address", ""},
		{"phone", "+49 30 12345678", "00493012345678 03012345678 3012345678 493012345678"},
		{"phone", "+55 11 8765-4321", "+551187654321 00551187654321 005511987654321 01187654321 011987654321 1187654321 11987654321 551187654321 5511987654321"},
		{"phone", "72345", ""},
		{"chat", "v1", ""},
	} {
		if got := strings.Join(handleid.Variants(c.kind, c.in), " "); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.in, got, c.want)
		}
	}
	if got := handleid.Normalise("email", "a.da+x@gmail.com"); got != "a.da+x@gmail.com" {
		t.Errorf("a variant is an identity: %q", got)
	}
}

// Every variant, read in its country, is the number it is one of.
func TestVariantsAreTheSameNumber(t *testing.T) {
	t.Parallel()
	for _, s := range subscribers {
		if strings.Contains(s.normal, ";") {
			continue
		}
		variants := handleid.Variants("phone", s.normal)
		if len(variants) < 3 {
			t.Errorf("%s has the variants %v", s.normal, variants)
		}
		for _, v := range variants {
			n := handleid.Normaliser{Region: handleid.RegionOf(s.normal)}
			if got := n.Normalise("phone", v); strings.HasPrefix(v, "+") && got != s.normal {
				t.Errorf("%s, a variant of %s, is %s", v, s.normal, got)
			}
		}
	}
}

func TestScoped(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{"email": false, "phone": false, "matrix": false, "chat": true, "telegram": true, "facebook": true, "external": true} {
		if handleid.Scoped(kind) != want {
			t.Errorf("%s: scoped is %v", kind, !want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range subscribers {
		f.Add("phone", s.region, s.written[0])
	}
	f.Add("email", "", "Jürgen+x@MÜLLER.example.")
	f.Fuzz(func(t *testing.T, kind, region, s string) {
		stable(t, handleid.Normaliser{Region: region}, kind, s)
	})
}

// What is written in one country is dialled from another: nothing that is
// needed for that is left out, as it is where numbers are compared.
func TestInternationalCanBeDialled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, written, want string }{
		{"DE", "030 12345678", "+493012345678"},
		{"DE", "0049 30 12345678", "+493012345678"},
		{"AR", "011 15-2345-6789", "+5491123456789"},
		{"AR", "011 4333-1234", "+541143331234"},
		{"BR", "(11) 8765-4321", "+5511987654321"},
		{"BR", "(11) 98765-4321", "+5511987654321"},
		{"MX", "55 1234 5678", "+525512345678"},
		{"US", "(212) 555-0142 ext. 7", "+12125550142;ext=7"},
		{"DE", "0000000", ""},
		{"", "030 12345678", ""},
	} {
		got, ok := handleid.Normaliser{Region: c.region}.International(c.written)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s in %s is %q, %v, want %q", c.written, c.region, got, ok, c.want)
		}
		n := handleid.Normaliser{Region: c.region}
		if ok && n.Normalise("phone", got) != n.Normalise("phone", c.written) {
			t.Errorf("%s in %s: dialled and compared are two lines", c.written, c.region)
		}
	}
	for s, want := range map[string]bool{
		"030 12345678": true, "0049 30 12345678": true, " (212) 555-0142": true, "+49 30 12345678": false, "＋4930": false, "12345": false, "SHOP1234567": false, "": false,
	} {
		if handleid.National(s) != want {
			t.Errorf("National(%q) is %v", s, !want)
		}
	}
}
