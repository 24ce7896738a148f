package inbox

// KeyKeepDeleted is the setting of channels whose senders can delete what they
// said: whether agents may still read it.
const KeyKeepDeleted = "keep_deleted"

// KeepDeleted describes it.
var KeepDeleted = Setting{
	Key: KeyKeepDeleted, Label: "Keep what customers delete",
	Help: "yes: a message its sender deleted is shown as deleted, and agents can open what it said. " +
		"no: what it said is taken out of timelines, search and previews; it stays in the log until it is erased or its time is over.",
	Default: "yes", Values: []string{"yes", "no"},
	Group: groupPrivacy, Advanced: true,
}
