package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "marquee.dev", Version: "v1alpha1"}

// RankingModel has the fields that this operator reads and writes.
type RankingModel struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   RankingModelSpec   `json:"spec"`
	Status RankingModelStatus `json:"status,omitempty"`
}

// RankingModelSpec says what is served.
type RankingModelSpec struct {
	Surface   string   `json:"surface"`
	Objective string   `json:"objective"`
	Artifact  Artifact `json:"artifact"`
	Serving   Serving  `json:"serving,omitempty"`
}

// Artifact says where the weights lie.
type Artifact struct {
	URI    string `json:"uri"`
	SHA256 string `json:"sha256,omitempty"`
}

// Serving says how requests are answered.
type Serving struct {
	MaxTopK  int32    `json:"maxTopK,omitempty"`
	Replicas Replicas `json:"replicas,omitempty"`
}

// Replicas says how many pods there may be.
type Replicas struct {
	Min int32 `json:"min,omitempty"`
	Max int32 `json:"max,omitempty"`
}

// RankingModelStatus says how far it is.
type RankingModelStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	Replicas           int32              `json:"replicas"`
	ReadyReplicas      int32              `json:"readyReplicas"`
	Selector           string             `json:"selector"`
}

// RankingModelList is what the API server answers to a list.
type RankingModelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RankingModel `json:"items"`
}

func addToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(groupVersion, &RankingModel{}, &RankingModelList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	return nil
}

// DeepCopyInto copies all of it.
func (in *RankingModel) DeepCopyInto(out *RankingModel) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if in.Status.Conditions != nil {
		out.Status.Conditions = make([]metav1.Condition, len(in.Status.Conditions))
		for i := range in.Status.Conditions {
			in.Status.Conditions[i].DeepCopyInto(&out.Status.Conditions[i])
		}
	}
}

// DeepCopyObject is what caches ask for.
func (in *RankingModel) DeepCopyObject() runtime.Object {
	out := new(RankingModel)
	in.DeepCopyInto(out)
	return out
}

// DeepCopyObject is what caches ask for.
func (in *RankingModelList) DeepCopyObject() runtime.Object {
	out := &RankingModelList{TypeMeta: in.TypeMeta, Items: make([]RankingModel, len(in.Items))}
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	for i := range in.Items {
		in.Items[i].DeepCopyInto(&out.Items[i])
	}
	return out
}

// DeepCopy copies all of it.
func (in *RankingModel) DeepCopy() *RankingModel {
	out := new(RankingModel)
	in.DeepCopyInto(out)
	return out
}
