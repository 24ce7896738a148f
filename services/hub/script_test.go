package main

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
	"github.com/weftline/weftline/services/internal/outbox"
)

// The stories in testdata/script run against this very binary: called "hub" it
// is the hub, but for a shorter patience of the outbox and a DNS of the test's.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "hub" {
		// Stories wait much more than they work. An explicit -parallel wins.
		if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
		flag.Parse()
	}
	testscript.Main(m, map[string]func(){"hub": func() {
		if os.Getenv("WEFTLINE_TEST_IMPATIENT") != "" {
			sendPolicy = outbox.Policy{MinBackoff: 300 * time.Millisecond, UnknownDelay: 500 * time.Millisecond, PausedPoll: 300 * time.Millisecond}
		}
		if path := os.Getenv("WEFTLINE_TEST_DNS"); path != "" {
			zone, err := hubtest.ReadZone(path)
			if err != nil {
				panic(err)
			}
			mailResolver = zone
		}
		if at := os.Getenv("WEFTLINE_TEST_KILL_AT"); at != "" {
			erasureStep = func(name string) {
				if strings.HasPrefix(name, at) {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
					select {} // not a step further
				}
			}
		}
		main()
	}})
}

// TestScript tells stories about a whole hub with real HTTP, IMAP and SMTP.
// Each has a hub, a mailbox and an SMTP server of its own:
//
//	start [flag…] · shutdown · crash  the hub; a second start is on the same data
//	exits CODE program [arg…]         runs a program that must end with the code
//	mail FILE…                        puts mails into the mailbox; $VARs are filled in
//	folder NAME N                     waits until a folder of the mailbox holds so many mails
//	signin revoke|REFRESH             mailbox and SMTP server want access tokens: before start, REFRESH is the first refresh token
//	smtp …                            what was sent, and what the server says: script_mail_test.go
//	chat NAME …                       a visitor with the widget: script_chat_test.go
//	agent NAME                        makes an agent who can log in; @NAME calls as this agent
//	[!] api [@NAME] METHOD [JSON]     calls the API; got and keep look at the answer
//	until [@NAME] METHOD JSON PATH V  calls until the answer has V at PATH
//	[!] got PATH VALUE                VALUE is exact, or a regular expression after ~
//	keep VAR PATH                     sets an environment variable from the answer
//	find ADDRESS|KIND:SCOPE:ADDRESS   waits for a customer; sets CUSTOMER, CONVERSATION and VERSION
//	timeline WHO FILE                 waits until the timeline of $CUSTOMER or an address reads like FILE
//	upload FILE · download PATH FILE  attachments
//	backend …                         of an app on the API channel: script_backend_test.go
//	sms …                             of an SMS provider: script_sms_test.go
//	telegram …                        the Bot API: script_telegram_test.go
//	line …                            LINE's Messaging API: script_line_test.go
//	slack …                           a Slack workspace: script_slack_test.go
//	discord …                         Discord: script_discord_test.go
//	matrix …                          a homeserver: script_matrix_test.go
//	mastodon …                        an instance: script_mastodon_test.go
//	meta …                            WhatsApp, Messenger, Instagram: script_meta_test.go
//	trouble … · took …          what goes wrong at these providers, and what they took: script_trouble_test.go
//	types …                     who types where: script_typing_test.go
//	sse @NAME FILE                    public events: script_sse_test.go
//	[!] page GET|POST PATH FILE       as somebody who is not logged in
//	token, garble, poisoned, plaintext   script_operator_test.go
//	tamper …                             script_audit_test.go
//	damage cut|overwrite                 script_damage_test.go
//	[!] traces WORD                   in the data directory, in any coding: script_trace_test.go
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup:               setupWorld,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": cmdStart, "shutdown": cmdShutdown, "crash": cmdCrash, "exits": cmdExits,
			"mail": cmdMail, "smtp": cmdSMTP, "signin": cmdSignIn, "folder": cmdFolder, "chat": cmdChat, "agent": cmdAgent,
			"api": cmdAPI, "until": cmdUntil, "got": cmdGot, "keep": cmdKeep,
			"token": cmdToken, "garble": cmdGarble, "poisoned": cmdPoisoned, "plaintext": cmdPlaintext, "tamper": cmdTamper, "damage": cmdDamage, "traces": cmdTraces,
			"page": cmdPage, "backend": cmdBackend, "sms": cmdSMS, "telegram": cmdTelegram, "line": cmdLine, "slack": cmdSlack,
			"discord": cmdDiscord, "matrix": cmdMatrix, "mastodon": cmdMastodon, "meta": cmdMeta,
			"trouble": cmdTrouble, "took": cmdTook, "types": cmdTypes,
			"sse": cmdSSE, "sse-frames": cmdSSEFrames,
			"find": cmdFind, "timeline": cmdTimeline, "upload": cmdUpload, "download": cmdDownload,
		},
	})
}
