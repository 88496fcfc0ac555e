// Copyright (c) 2026 podnet.calico authors
// SPDX-License-Identifier: GPL-3.0-or-later

// kubectl v1.29, from before it spoke WebSocket: the same command as upstream's, put together from its module.
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
