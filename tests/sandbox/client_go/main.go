// Copyright (c) 2026 podnet.calico authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What Go programs do with an API server. Prints one JSON object, which a test judges.
//
//	client_go KUBECONFIG           objects: objects.go, test_client_go.py
//	client_go KUBECONFIG POD PORT  streams: client-go's executors and port forwarders, over SPDY and over WebSocket; test_streams.py
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

type result struct {
	Stdout string
	Stderr string
	Code   int
	Error  string
}

type program struct {
	config *rest.Config
	client *kubernetes.Clientset
	pod    string
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	if len(os.Args) == 2 {
		check(json.NewEncoder(os.Stdout).Encode(objects(config)))
		return
	}
	client, err := kubernetes.NewForConfig(config)
	check(err)
	it := program{config, client, os.Args[2]}
	port := os.Args[3]
	found := map[string]map[string]result{}
	for _, transport := range []string{"spdy", "websocket"} {
		found[transport] = map[string]result{
			"streams":      it.exec(transport, "", false, "sh", "-c", "echo out; echo err >&2; exit 7"),
			"stdin":        it.exec(transport, strings.Repeat("0123456789abcdef", 1<<17), false, "sha256sum"),
			"terminal":     it.exec(transport, "", true, "sh", "-c", "until [ \"$(stty size)\" = '17 91' ]; do sleep 0.1; done; tty"),
			"unknown":      it.exec(transport, "", false, "nosuchcmd"),
			"port":         it.get(transport, port),
			"refused port": it.get(transport, "81"),
		}
	}
	sum := sha256.Sum256([]byte(strings.Repeat("0123456789abcdef", 1<<17)))
	found["expected"] = map[string]result{"stdin": {Stdout: hex.EncodeToString(sum[:]) + "  -\n"}}
	check(json.NewEncoder(os.Stdout).Encode(found))
}

func (p program) url(subresource string, options *corev1.PodExecOptions) *url.URL {
	request := p.client.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name(p.pod).SubResource(subresource)
	if options != nil {
		request = request.VersionedParams(options, scheme.ParameterCodec)
	}
	return request.URL()
}

type oneSize struct{ sent bool }

func (s *oneSize) Next() *remotecommand.TerminalSize {
	if s.sent {
		return nil
	}
	s.sent = true
	return &remotecommand.TerminalSize{Width: 91, Height: 17}
}

func (p program) exec(transport, stdin string, tty bool, command ...string) result {
	options := &corev1.PodExecOptions{Command: command, Stdin: stdin != "", Stdout: true, Stderr: !tty, TTY: tty}
	target := p.url("exec", options)
	var executor remotecommand.Executor
	var err error
	if transport == "spdy" {
		executor, err = remotecommand.NewSPDYExecutor(p.config, http.MethodPost, target)
	} else {
		executor, err = remotecommand.NewWebSocketExecutor(p.config, http.MethodGet, target.String())
	}
	check(err)
	var stdout, stderr bytes.Buffer
	streams := remotecommand.StreamOptions{Stdout: &stdout, Tty: tty}
	if stdin != "" {
		streams.Stdin = strings.NewReader(stdin)
	}
	if tty {
		streams.TerminalSizeQueue = &oneSize{}
	} else {
		streams.Stderr = &stderr
	}
	err = executor.StreamWithContext(context.Background(), streams)
	got := result{Stdout: stdout.String(), Stderr: stderr.String()}
	if ended, ok := err.(exec.CodeExitError); ok {
		got.Code = ended.Code
	} else if err != nil {
		got.Error = err.Error()
	}
	return got
}

// get asks the pod's web server through a forwarded port.
func (p program) get(transport, port string) result {
	var dialer httpstream.Dialer
	target := p.url("portforward", nil)
	if transport == "spdy" {
		round, upgrader, err := spdy.RoundTripperFor(p.config)
		check(err)
		dialer = spdy.NewDialer(upgrader, &http.Client{Transport: round}, http.MethodPost, target)
	} else {
		var err error
		dialer, err = portforward.NewSPDYOverWebsocketDialer(target, p.config)
		check(err)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	defer close(stop)
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{"0:" + port}, stop, ready, io.Discard, io.Discard)
	check(err)
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case err := <-ended:
		return result{Error: fmt.Sprint(err)}
	case <-ready:
	}
	ports, err := forwarder.GetPorts()
	check(err)
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
	if err != nil {
		return result{Error: fmt.Sprint(<-ended)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err)
	return result{Stdout: string(body), Code: response.StatusCode}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
