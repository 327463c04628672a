package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// Values of if_in_use and if_unreachable.
const (
	onTroubleFail = "fail"
	onTroubleSkip = "skip"
)

// Defaults of the resource. Import fills them into the state, so that the plan
// after it is empty.
const (
	defaultMinFileSizeBytes       = 0
	defaultRecompactGrowthBytes   = 1 << 30
	defaultRecompactGrowthPercent = 20
	defaultMaxPasses              = 1
	mostPasses                    = 5
)

// Schema describes inputs first, then outputs. Computed values are planned in
// one place, decidePlan, and not by modifiers of single attributes.
func (r *vhdCompactionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := inputAttributes()
	maps.Copy(attributes, dueAttributes())
	maps.Copy(attributes, outputAttributes())
	resp.Schema = schema.Schema{
		Version:             schemaVersion,
		MarkdownDescription: "Compacts a virtual hard disk file on a Hyper-V host during apply and keeps its size in state, so that a later apply compacts it again once it has grown. Destroying the resource leaves the file as it is.",
		Attributes:          attributes,
	}
}

func inputAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"path": schema.StringAttribute{
			Required:            true,
			CustomType:          pathtype.Type{},
			PlanModifiers:       []planmodifier.String{pathtype.RequiresReplace()},
			MarkdownDescription: describePath + " A different file replaces the resource.",
		},
		"host": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{hostValidator{}},
			MarkdownDescription: describeHost + " Adding, changing or removing it replaces the resource, unless it still means the host that was asked before.",
		},
		"mode": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{oneOf(modeNames()...)},
			MarkdownDescription: describeMode + " Changing it compacts again.",
		},
		"attach_read_only": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: describeAttach + " Changing it compacts again.",
		},
		"if_in_use": schema.StringAttribute{
			Optional: true, Computed: true,
			Default:             stringdefault.StaticString(onTroubleFail),
			Validators:          []validator.String{oneOf(onTroubleFail, onTroubleSkip)},
			MarkdownDescription: "What to do with a disk in use: `fail` (default) is an error; `skip` warns and tries again at the next apply. A disk that others depend on for good, such as the parent of linked clones or the disk of a replica, is tried again only once it has grown, `triggers` has changed or a consent was given.",
		},
		"if_unreachable": schema.StringAttribute{
			Optional: true, Computed: true,
			Default:             stringdefault.StaticString(onTroubleFail),
			Validators:          []validator.String{oneOf(onTroubleFail, onTroubleSkip)},
			MarkdownDescription: "What to do when a plan cannot connect to the host: `fail` (default) ends the whole plan; `skip` keeps the state of its disks, warns, and plans nothing for them. It takes effect once it has been applied.",
		},
		"allow_parent": schema.BoolAttribute{
			Optional: true, Computed: true,
			Default:             booldefault.StaticBool(false),
			MarkdownDescription: describeParent,
		},
		"allow_replicated": schema.BoolAttribute{
			Optional: true, Computed: true,
			Default:             booldefault.StaticBool(false),
			MarkdownDescription: describeReplicated,
		},
		"max_passes": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultMaxPasses),
			Validators:          []validator.Int64{int64validator.Between(1, mostPasses)},
			MarkdownDescription: describeRepeats,
		},
		"timeouts": timeoutsAttribute(map[string]string{
			"create": "Time limit for the first run, such as `8h` or `90m`; waiting for a turn does not count. Default: `8h`.",
			"update": "Time limit for a later run, such as `8h` or `90m`; waiting for a turn does not count. Default: `8h`.",
			"read":   "Time limit for a refresh, such as `5m` or `30s`. Default: `5m`.",
		}),
	}
}

// dueAttributes decide when the next run is due.
func dueAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"min_file_size_bytes": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultMinFileSizeBytes),
			Validators:          []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "Leave the file alone while it is smaller than this, in bytes. Default: `0`.",
		},
		"recompact_on_growth": schema.BoolAttribute{
			Optional: true, Computed: true,
			Default:             booldefault.StaticBool(true),
			MarkdownDescription: "Whether to compact again once the file has grown. Default: `true`.",
		},
		"recompact_growth_bytes": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultRecompactGrowthBytes),
			Validators:          []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "Growth since the last compaction, in bytes, that is worth another one. `recompact_growth_percent` has to be reached as well; `0` leaves the decision to it. Default: 1 GiB.",
		},
		"recompact_growth_percent": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultRecompactGrowthPercent),
			Validators:          []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "Growth since the last compaction, in percent, that is worth another one. `recompact_growth_bytes` has to be reached as well; `0` leaves the decision to it. Default: `20`.",
		},
		"triggers": schema.MapAttribute{
			Optional:            true,
			ElementType:         types.StringType,
			MarkdownDescription: "Values of your choice. Changing any of them compacts again, in place.",
		},
	}
}

func outputAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                       computedString("Host and path at creation, as `host|path`."),
		"virtual_disk_id":          computedString("Identifier stored inside the disk. If the host changes and the path leads to a disk with another identifier there, the resource is replaced."),
		"format":                   computedString(describeFormat),
		"vhd_type":                 computedString(describeVHDType),
		"file_size_bytes":          computedInt64("Size of the file on the host, in bytes, read by every refresh."),
		"baseline_file_size_bytes": computedInt64("Size in bytes after the last compaction that ran, or when the disk was last left alone because of what depends on it; growth counts from it."),
		"growth_bytes":             computedInt64("Growth since the baseline, in bytes; negative if the file has shrunk."),
		"total_reclaimed_bytes":    computedInt64("Bytes reclaimed by all runs of this resource, since the disk has this `virtual_disk_id`."),
		"status":                   computedString("How the last run ended: `compacted`, `unchanged`, `skipped_in_use`, `skipped_dependents`, `below_minimum`, `interrupted`, `unknown`, `failed`, `not_compactable` or `imported`."),
		"status_detail":            computedString("One sentence about the status."),
		"plan_reason":              computedString("Why a run is planned, known in the plan unless it depends on a value that is not; after the apply, why the last run was planned."),
		"left_attached": schema.BoolAttribute{
			Computed:            true,
			MarkdownDescription: "Whether the disk may still be attached to the node because it could not be detached. The next run detaches it if it can tell that the attachment is this resource's.",
		},
		"left_attached_at": schema.SingleNestedAttribute{
			Computed:            true,
			MarkdownDescription: "Where the disk may still be attached, in the terms of the node; only the node if it is not known which attachment that is.",
			Attributes:          leftAtAttributes(),
		},
		"node":            computedString("Computer name of the Hyper-V host that the last run was on. It differs from `host` if that is an alias or the name of a cluster; null if the host does not tell its name."),
		"unseen_job":      computedString("Identifier of a job of an earlier run that may still compact the disk, because its end was not seen. The next run awaits it; null when there is none."),
		"unseen_job_node": computedString("Computer name of the node of `unseen_job`."),
		"last_run": schema.SingleNestedAttribute{
			Computed:            true,
			MarkdownDescription: "The last run that started something on the host.",
			Attributes:          lastRunAttributes(),
		},
	}
}

func computedString(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func computedInt64(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

// timeoutsAttribute makes the attribute of timeouts.Attributes, with a check
// that names the attribute and refuses durations that are not positive.
func timeoutsAttribute(descriptions map[string]string) schema.Attribute {
	members := map[string]schema.Attribute{}
	for name, description := range descriptions {
		members[name] = schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{timeoutValidator{}},
			MarkdownDescription: description,
		}
	}
	return schema.SingleNestedAttribute{
		Optional:            true,
		CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutTypes()}},
		MarkdownDescription: describeTimeouts + " Changing them does not compact.",
		Attributes:          members,
	}
}

// timeoutTypes are the types of the members of timeouts.
func timeoutTypes() map[string]attr.Type { return timeoutMembers("create", "update", "read") }
