// Copyright (c) 2026 podnet.calico authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Writes objects of Kubernetes' kinds with every field set, as JSON and as Go writes them in protobuf.
//
//	cd tests/sandbox/protobuf_samples && go run . > ../recordings/protobuf-samples.json
//
// tests/sandbox/test_api_protobuf.py holds the sandbox's tables of fields to it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// Kinds that have every form between them.
var sampled = []string{
	"v1 Pod", "v1 Node", "v1 Service", "v1 Secret", "v1 ResourceQuota", "v1 PersistentVolume", "batch/v1 CronJob", "apps/v1 StatefulSet",
	"apps/v1 ControllerRevision", "coordination.k8s.io/v1 Lease", "v1 Event", "discovery.k8s.io/v1 EndpointSlice",
	"networking.k8s.io/v1 NetworkPolicy", "authorization.k8s.io/v1 SubjectAccessReview", "policy/v1 Eviction",
	"rbac.authorization.k8s.io/v1 ClusterRole", "apiextensions.k8s.io/v1 CustomResourceDefinition",
}

// How deep a message that holds itself is filled.
const deepest = 2

func main() {
	must(apiextensions.AddToScheme(scheme.Scheme))
	serializer := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	var lines []string
	for _, name := range sampled {
		apiVersion, kind, _ := strings.Cut(name, " ")
		version, err := schema.ParseGroupVersion(apiVersion)
		must(err)
		object, err := scheme.Scheme.New(version.WithKind(kind))
		must(err)
		fill(reflect.ValueOf(object).Elem(), map[reflect.Type]int{}, kind)
		object.GetObjectKind().SetGroupVersionKind(version.WithKind(kind))
		var written bytes.Buffer
		must(serializer.Encode(object, &written))
		lines = append(lines, encoded([]any{object, written.Bytes()}))
	}
	fmt.Println("[\n" + strings.Join(lines, ",\n") + "\n]")
}

func encoded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var moment = time.Date(2026, 11, 29, 12, 30, 15, 123456000, time.UTC)

// fill sets every field below value, within itself no deeper than deepest.
func fill(value reflect.Value, within map[reflect.Type]int, name string) {
	switch at := value.Addr().Interface().(type) {
	case *meta.Time:
		*at = meta.NewTime(moment.Truncate(time.Second))
		return
	case *meta.MicroTime:
		*at = meta.NewMicroTime(moment)
		return
	case *resource.Quantity:
		*at = resource.MustParse("1500m")
		return
	case *intstr.IntOrString:
		*at = intstr.FromString(name)
		return
	case *runtime.RawExtension:
		at.Raw = []byte(`{"a":[1,"b"]}`)
		return
	case *apiextensions.JSON:
		at.Raw = []byte(`{"a":[1,"b",null]}`)
		return
	case *apiextensions.JSONSchemaPropsOrBool:
		at.Allows = true
		if name == "AdditionalProperties" {
			fill(reflect.ValueOf(&at.Schema).Elem(), within, name)
		}
		return
	case *apiextensions.JSONSchemaPropsOrArray:
		if within[reflect.TypeOf(apiextensions.JSONSchemaProps{})] == 1 {
			fill(reflect.ValueOf(&at.JSONSchemas).Elem(), within, name)
		} else {
			at.Schema = &apiextensions.JSONSchemaProps{Type: name}
		}
		return
	case *apiextensions.JSONSchemaPropsOrStringArray:
		at.Property = []string{name}
		return
	case *meta.FieldsV1:
		at.Raw = []byte(`{"f:a":{}}`)
		return
	}
	goType := value.Type()
	switch value.Kind() {
	case reflect.Ptr:
		if within[goType.Elem()] >= deepest {
			return
		}
		value.Set(reflect.New(goType.Elem()))
		fill(value.Elem(), within, name)
	case reflect.String:
		value.SetString(name)
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int32, reflect.Int64:
		value.SetInt(-7)
	case reflect.Float64:
		value.SetFloat(2.5)
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			value.SetBytes([]byte{0, 255, 16})
			return
		}
		if within[goType.Elem()] >= deepest {
			return
		}
		value.Set(reflect.MakeSlice(goType, 1, 1))
		fill(value.Index(0), within, name)
	case reflect.Map:
		if within[goType.Elem()] >= deepest {
			return
		}
		item := reflect.New(goType.Elem()).Elem()
		fill(item, within, name)
		key := reflect.New(goType.Key()).Elem()
		key.SetString("key")
		value.Set(reflect.MakeMap(goType))
		value.SetMapIndex(key, item)
	case reflect.Struct:
		within[goType]++
		for at := 0; at < goType.NumField(); at++ {
			field := goType.Field(at)
			if field.Type != reflect.TypeOf(meta.TypeMeta{}) && field.Tag.Get("protobuf") != "-" {
				fill(value.Field(at), within, field.Name)
			}
		}
		within[goType]--
	}
}
