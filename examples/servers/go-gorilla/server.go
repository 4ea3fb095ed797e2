// The chat protocol on Go's net/http and gorilla/websocket.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

const (
	path          = "/v1/socket"
	outboxLength  = 4096
	writePatience = 10 * time.Second
	closeGrace    = 2 * time.Second
	// So many mistakes are answered one by one within a second; then come RATE_LIMITED and silence till it is over.
	mistakesPerSecond = 100
)

var (
	heartbeatInterval = seconds("HEARTBEAT_INTERVAL", 30)
	heartbeatTimeout  = seconds("HEARTBEAT_TIMEOUT", 10)
	upgrader          = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
)

func seconds(name string, fallback float64) time.Duration {
	if value, err := strconv.ParseFloat(os.Getenv(name), 64); err == nil {
		fallback = value
	}
	return time.Duration(fallback * float64(time.Second))
}

// An item of the outbox: a text, or the close code that ends it.
type item struct {
	text   []byte
	code   int
	reason string
}

type session struct {
	socket *websocket.Conn
	user   user
	rooms  *rooms
	outbox chan item
	pongs  chan struct{}
	over   chan struct{} // closed when the reader has ended

	mutex    sync.Mutex
	closing  bool
	mistakes int
	since    time.Time
}

func (s *session) who() user { return s.user }

func (s *session) send(event string, payload any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"event": event, "payload": payload}); err != nil {
		log.Panic(err)
	}
	s.put(item{text: text.Bytes()})
}

func (s *session) close(code int, reason string) { s.put(item{code: code, reason: reason}) }

func (s *session) put(one item) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closing {
		return
	}
	s.closing = one.code != 0
	select {
	case s.outbox <- one:
	default: // a peer that does not read
		s.closing = true
		s.socket.Close()
	}
}

func (s *session) run() {
	defer s.socket.Close()
	defer s.rooms.leave(s)
	defer close(s.over)
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		log.Panic(err)
	}
	s.send("connection_ack", map[string]string{"sessionId": hex.EncodeToString(id)})
	go s.write()
	go s.keepTime()
	for {
		kind, reader, err := s.socket.NextReader()
		if err != nil {
			return // gorilla has answered a close frame, and told what was wrong with an illegal one
		}
		data, err := io.ReadAll(io.LimitReader(reader, messageBytes+1))
		switch {
		case err != nil:
			return
		case len(data) > messageBytes:
			s.close(websocket.CloseMessageTooBig, "")
		case kind == websocket.BinaryMessage:
			s.close(websocket.CloseUnsupportedData, "text only")
		case !utf8.Valid(data):
			s.close(websocket.CloseInvalidFramePayloadData, "")
		default:
			s.handle(data)
		}
	}
}

func (s *session) handle(data []byte) {
	s.mutex.Lock()
	closing := s.closing
	s.mutex.Unlock()
	if closing {
		return
	}
	wanted, mistaken := read(data)
	if mistaken == nil {
		var err error
		switch wanted.event {
		case "pong":
			select {
			case s.pongs <- struct{}{}:
			case <-time.After(writePatience): // the clock has stopped: this session is ending
			}
		case "join_channel":
			err = s.rooms.join(s, wanted.channel)
		case "send_message":
			err = s.rooms.post(s, wanted.channel, wanted.text)
		}
		if err != nil {
			mistaken = wrong(err.Error(), wanted.event)
		}
	}
	if mistaken != nil {
		s.answer(mistaken)
	}
}

func (s *session) answer(mistaken *mistake) {
	if now := time.Now(); now.Sub(s.since) > time.Second {
		s.since, s.mistakes = now, 0
	}
	s.mistakes++
	if s.mistakes == mistakesPerSecond {
		mistaken = wrong("RATE_LIMITED", mistaken.OriginalEvent)
	}
	if s.mistakes <= mistakesPerSecond {
		s.send("error", mistaken)
	}
}

func (s *session) write() {
	for {
		select {
		case <-s.over:
			return
		case one := <-s.outbox:
			s.socket.SetWriteDeadline(time.Now().Add(writePatience))
			if one.code != 0 {
				reason := websocket.FormatCloseMessage(one.code, one.reason)
				s.socket.WriteMessage(websocket.CloseMessage, reason)
				s.socket.SetReadDeadline(time.Now().Add(closeGrace))
				return
			}
			if s.socket.WriteMessage(websocket.TextMessage, one.text) != nil {
				s.socket.Close()
				return
			}
		}
	}
}

func (s *session) keepTime() {
	beat := time.NewTicker(heartbeatInterval)
	defer beat.Stop()
	var expiry, deadline <-chan time.Time
	if s.user.lifetime > 0 {
		expiry = time.After(s.user.lifetime)
	}
	for {
		select {
		case <-s.over:
			return
		case <-expiry:
			s.close(4401, "token expired")
		case <-deadline:
			s.close(4408, "no pong")
		case <-s.pongs:
			deadline = nil
		case <-beat.C:
			s.send("ping", struct{}{})
			if deadline == nil { // the oldest unanswered ping counts
				deadline = time.After(heartbeatTimeout)
			}
		}
	}
}

// The server: its rooms, and its sessions, so that it can say goodbye to them.
type server struct {
	rooms    rooms
	sessions sync.Map
	running  sync.WaitGroup
}

func (s *server) ServeHTTP(answer http.ResponseWriter, asked *http.Request) {
	if asked.URL.Path != path {
		http.NotFound(answer, asked)
		return
	}
	who, known := userOf(asked.URL.Query().Get("access_token"))
	if !known {
		http.Error(answer, "Who are you?", http.StatusUnauthorized)
		return
	}
	socket, err := upgrader.Upgrade(answer, asked, nil)
	if err != nil {
		return // gorilla has answered
	}
	socket.SetReadLimit(messageBytes)
	one := &session{socket: socket, user: who, rooms: &s.rooms, outbox: make(chan item, outboxLength),
		pongs: make(chan struct{}), over: make(chan struct{})}
	s.running.Add(1)
	s.sessions.Store(one, true)
	defer s.running.Done()
	defer s.sessions.Delete(one)
	one.run()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on ws://%s%s\n", listener.Addr(), path)
	chat := &server{rooms: rooms{members: map[string]map[member]bool{}}}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	go func() {
		if err := http.Serve(listener, chat); err != nil && stop.Err() == nil {
			log.Fatal(err)
		}
	}()
	<-stop.Done()
	listener.Close()
	chat.sessions.Range(func(one, _ any) bool {
		one.(*session).close(websocket.CloseGoingAway, "")
		return true
	})
	chat.running.Wait()
}
