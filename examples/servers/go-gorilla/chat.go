package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const messageBytes = 65536

// A user, as its token names it. A lifetime of zero is for ever.
type user struct {
	id, name string
	lifetime time.Duration
}

var users = map[string]user{
	"alice-token":    {"user-001", "Taro Yamada", 0},
	"bob-token":      {"user-002", "Hanako Suzuki", 0},
	"carol-token":    {"user-003", "Carol", 0},
	"expiring-token": {"user-900", "Guest", 2 * time.Second},
}

var loadToken = regexp.MustCompile(`^load-[0-9]{1,9}$`)

func userOf(token string) (user, bool) {
	if loadToken.MatchString(token) {
		number := strings.TrimPrefix(token, "load-")
		return user{"user-load-" + number, "Load " + number, 0}, true
	}
	found, known := users[token]
	return found, known
}

// A mistake of the client's: the payload of an `error`.
type mistake struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	OriginalEvent string `json:"originalEvent,omitempty"`
}

func (m *mistake) Error() string { return m.Code }

var japanese = map[string]string{
	"INVALID_JSON":      "JSONとして読めません。",
	"INVALID_MESSAGE":   "メッセージの形式が正しくありません。",
	"INVALID_PAYLOAD":   "ペイロードが正しくありません。",
	"UNKNOWN_EVENT":     "このイベントは受け付けません。",
	"PERMISSION_DENIED": "このチャンネルを使う権限がありません。",
	"CHANNEL_NOT_FOUND": "チャンネルが見つかりません。",
	"NOT_JOINED":        "先にチャンネルに参加してください。",
	"RATE_LIMITED":      "メッセージが多すぎます。",
}

func wrong(code, event string) *mistake { return &mistake{code, japanese[code], event} }

type request struct {
	event, channel, text string
}

var integer = regexp.MustCompile(`^-?[0-9]+$`)

// Objects are read as maps: in a struct, encoding/json would take `Event` for `event`.
func read(data []byte) (request, *mistake) {
	if !json.Valid(data) {
		return request{}, wrong("INVALID_JSON", "")
	}
	var envelope, payload map[string]json.RawMessage
	if json.Unmarshal(data, &envelope) != nil || envelope == nil {
		return request{}, wrong("INVALID_MESSAGE", "")
	}
	event, isString := text(envelope["event"])
	if !isString {
		return request{}, wrong("INVALID_MESSAGE", "")
	}
	sequence, numbered := envelope["sequence"]
	if json.Unmarshal(envelope["payload"], &payload) != nil || payload == nil || numbered && !integer.Match(sequence) {
		return request{}, wrong("INVALID_MESSAGE", event)
	}
	wanted := request{event: event}
	valid := true
	switch event {
	case "pong":
	case "send_message":
		wanted.text, valid = text(payload["text"])
		valid = valid && within(wanted.text, 4096)
		fallthrough
	case "join_channel":
		channel, isString := text(payload["channelId"])
		wanted.channel = channel
		valid = valid && isString && within(channel, 128)
	default:
		return request{}, wrong("UNKNOWN_EVENT", event)
	}
	if !valid {
		return request{}, wrong("INVALID_PAYLOAD", event)
	}
	return wanted, nil
}

func text(raw json.RawMessage) (string, bool) {
	var value *string
	err := json.Unmarshal(raw, &value)
	if err != nil || value == nil {
		return "", false
	}
	return *value, true
}

func within(value string, longest int) bool {
	count := utf8.RuneCountInString(value)
	return 1 <= count && count <= longest
}

// A member is a connection as the rooms see it.
type member interface {
	who() user
	send(event string, payload any)
}

type post struct {
	ID     string `json:"id"`
	Author struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"author"`
	Timestamp time.Time `json:"timestamp"`
	Text      string    `json:"text"`
}

type rooms struct {
	mutex   sync.Mutex
	members map[string]map[member]bool
	posts   int
	last    time.Time
}

var errPrivate, errMissing = errors.New("PERMISSION_DENIED"), errors.New("CHANNEL_NOT_FOUND")

func mayUse(who user, channel string) error {
	if channel == "channel-private" && who.id != "user-003" {
		return errPrivate
	}
	if strings.HasPrefix(channel, "missing-") {
		return errMissing
	}
	return nil
}

func (r *rooms) join(who member, channel string) error {
	if err := mayUse(who.who(), channel); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.members[channel] == nil {
		r.members[channel] = map[member]bool{}
	}
	r.members[channel][who] = true
	return nil
}

// Posting holds the lock until every member has it in its outbox: so all see one order.
func (r *rooms) post(who member, channel, words string) error {
	if err := mayUse(who.who(), channel); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.members[channel][who] {
		return errors.New("NOT_JOINED")
	}
	if now := time.Now(); now.After(r.last) { // the clock may be set back
		r.last = now
	}
	r.posts++
	message := post{ID: strconv.Itoa(r.posts), Timestamp: r.last, Text: words}
	message.Author.ID, message.Author.Name = who.who().id, who.who().name
	for other := range r.members[channel] {
		other.send("new_message", map[string]any{"channelId": channel, "message": message})
	}
	return nil
}

func (r *rooms) leave(who member) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for channel, members := range r.members {
		delete(members, who)
		if len(members) == 0 {
			delete(r.members, channel)
		}
	}
}
