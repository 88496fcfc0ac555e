// Copyright (c) 2026 podnet.calico authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A CustomResourceDefinition by the typed client of apiextensions, there and back in protobuf.
package main

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

type schemas = map[string]apiextensionsv1.JSONSchemaProps

func definition() *apiextensionsv1.CustomResourceDefinition {
	closed := &apiextensionsv1.JSONSchemaPropsOrBool{Allows: false}
	texts := &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: &apiextensionsv1.JSONSchemaProps{Type: "string"}}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "goers.x.io"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "x.io", Scope: apiextensionsv1.ClusterScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "goers", Kind: "Goer"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: schemas{"spec": {Type: "object", Properties: schemas{
						"count":  {Type: "integer", Minimum: ptr.To(1.0), Maximum: ptr.To(2.5), Default: &apiextensionsv1.JSON{Raw: []byte("2")}},
						"flag":   {Type: "boolean", Default: &apiextensionsv1.JSON{Raw: []byte("false")}},
						"one":    {Type: "string", Enum: []apiextensionsv1.JSON{{Raw: []byte(`"a"`)}, {Raw: []byte(`"b"`)}}},
						"texts":  {Type: "object", AdditionalProperties: texts},
						"none":   {Type: "object", AdditionalProperties: closed},
						"listed": {Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{Type: "string"}}},
					}}},
				}},
			}},
		},
	}
}

// defined makes the definition and says whether it comes back as it was sent, by get, list and watch.
func defined(within context.Context, config *rest.Config) map[string]any {
	own := rest.CopyConfig(config)
	own.ContentType = runtime.ContentTypeProtobuf
	own.AcceptContentTypes = runtime.ContentTypeProtobuf
	client, err := apiextensions.NewForConfig(own)
	check(err)
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	sent := definition()
	made, err := definitions.Create(within, sent, metav1.CreateOptions{FieldValidation: "Strict"})
	check(err)
	got, err := definitions.Get(within, made.Name, metav1.GetOptions{})
	check(err)
	all, err := definitions.List(within, metav1.ListOptions{})
	check(err)
	watching, err := definitions.Watch(within, metav1.ListOptions{FieldSelector: "metadata.name=goers.x.io"})
	check(err)
	defer watching.Stop()
	watched := <-watching.ResultChan()
	seen := map[string]any{"listed": len(all.Items) > 1, "watched": watched.Type == watch.Added}
	wanted := sent.Spec.Versions[0].Schema.OpenAPIV3Schema
	seen["the same"] = equality.Semantic.DeepEqual(wanted, got.Spec.Versions[0].Schema.OpenAPIV3Schema)
	check(definitions.Delete(within, made.Name, metav1.DeleteOptions{}))
	return seen
}
