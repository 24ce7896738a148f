package chat

import (
	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// ownItem is an accepted message before the transcript has it: masked as the
// transcript will be.
func (a *Adapter) ownItem(inbox, handleID string, in input) itemFrame {
	text := in.Text
	if c, ok := a.config(inbox); ok {
		text, _ = c.Mask.Text(text)
	}
	return itemFrame{
		From: "you", Text: text, At: stamp(in.At), ClientID: in.ClientID,
		Files: a.blobFiles(handleID, in.Files),
	}
}

// replyItem is an agent's message as it is sent.
func (a *Adapter) replyItem(handleID string, out channel.Outbound) itemFrame {
	return itemFrame{
		ID: out.ID, Position: out.Position, From: "us", Name: out.AuthorName,
		Text: out.Content.Text, At: stamp(out.At), Files: a.blobFiles(handleID, out.Content.Attachments),
	}
}

func (a *Adapter) blobFiles(handleID string, list []channel.Attachment) []fileItem {
	var files []fileItem
	for _, f := range list {
		if f.Blob == "" {
			continue
		}
		files = append(files, fileItem{
			ID:   a.sealFile(fileRef{Handle: handleID, Blob: f.Blob, Name: cleanName(f.Name), Type: f.ContentType}),
			Name: cleanName(f.Name), Type: f.ContentType, Size: f.Size,
		})
	}
	return files
}

// listedItem is a message of the transcript.
func (a *Adapter) listedItem(handleID string, it *channelv1.ListMessagesResponse_Item) itemFrame {
	f := itemFrame{ID: it.GetId(), Position: it.GetPosition(), From: "us", Name: it.GetAuthorName(), Text: it.GetText(), ClientID: it.GetClientId()}
	if it.GetAt() != nil {
		f.At = stamp(it.GetAt().AsTime())
	}
	if it.GetDirection() == inboxv1.Direction_DIRECTION_INBOUND {
		f.From, f.Name = "you", ""
	}
	switch it.GetDelivery() {
	case inboxv1.DeliveryState_DELIVERY_STATE_DELIVERED:
		f.State = "delivered"
	case inboxv1.DeliveryState_DELIVERY_STATE_READ:
		f.State = "read"
	}
	for _, at := range it.GetAttachments() {
		f.Files = append(f.Files, fileItem{
			ID:   a.sealFile(fileRef{Handle: handleID, ID: at.GetId(), Name: cleanName(at.GetName()), Type: at.GetContentType()}),
			Name: cleanName(at.GetName()), Type: at.GetContentType(), Size: at.GetSize(),
		})
	}
	return f
}
