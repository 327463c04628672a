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

// Schema describes inputs first, then outputs. What is computed is planned in
// one place, decidePlan, and not by modifiers of single attributes.
func (r *vhdCompactionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := inputAttributes()
	maps.Copy(attributes, dueAttributes())
	maps.Copy(attributes, outputAttributes())
	resp.Schema = schema.Schema{
		Version:             schemaVersion,
		MarkdownDescription: "Compacts a virtual hard disk file on a Hyper-V host, during apply, and keeps its size in state, so that a later apply compacts again what has grown again. Destroying the resource leaves the file as it is.",
		Attributes:          attributes,
	}
}

func inputAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"path": schema.StringAttribute{
			Required:            true,
			CustomType:          pathtype.Type{},
			PlanModifiers:       []planmodifier.String{pathtype.RequiresReplace()},
			MarkdownDescription: describePath + " Another file is another resource.",
		},
		"host": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{hostValidator{}},
			MarkdownDescription: describeHost + " A host that is written here or removed replaces the resource, unless it is the one that was asked before.",
		},
		"mode": schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{oneOf(modeNames()...)},
			MarkdownDescription: describeMode + " A change compacts again.",
		},
		"attach_read_only": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: describeAttach + " A change compacts again.",
		},
		"if_in_use": schema.StringAttribute{
			Optional: true, Computed: true,
			Default:             stringdefault.StaticString(onTroubleFail),
			Validators:          []validator.String{oneOf(onTroubleFail, onTroubleSkip)},
			MarkdownDescription: "What a disk in use does: `fail` (default) is an error, `skip` a warning and a new try at the next apply. A disk on which others depend for good, such as linked clones or a replica, is tried again only when it has grown or `triggers` changed.",
		},
		"if_unreachable": schema.StringAttribute{
			Optional: true, Computed: true,
			Default:             stringdefault.StaticString(onTroubleFail),
			Validators:          []validator.String{oneOf(onTroubleFail, onTroubleSkip)},
			MarkdownDescription: "What a host does that no connection can be made to when a plan refreshes: `fail` (default) ends the whole plan, `skip` keeps the state of its disks, warns and plans nothing for them.",
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
			"create": "Bound of the first run, from its turn on, as `8h` or `90m`. Default: `8h`.",
			"update": "Bound of a later run, from its turn on, as `8h` or `90m`. Default: `8h`.",
			"read":   "Bound of a refresh, as `5m` or `30s`. Default: `5m`.",
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
			MarkdownDescription: "Size in bytes below which a file is left alone; it is compacted once it has reached it. Default: `0`.",
		},
		"recompact_on_growth": schema.BoolAttribute{
			Optional: true, Computed: true,
			Default:             booldefault.StaticBool(true),
			MarkdownDescription: "Compact again when the file has grown. Default: `true`.",
		},
		"recompact_growth_bytes": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultRecompactGrowthBytes),
			Validators:          []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "Growth in bytes since the last compaction that is worth another one, together with `recompact_growth_percent`. `0` leaves it to the percentage alone. Default: 1 GiB.",
		},
		"recompact_growth_percent": schema.Int64Attribute{
			Optional: true, Computed: true,
			Default:             int64default.StaticInt64(defaultRecompactGrowthPercent),
			Validators:          []validator.Int64{int64validator.AtLeast(0)},
			MarkdownDescription: "Growth in percent since the last compaction that is worth another one, together with `recompact_growth_bytes`. `0` leaves it to the bytes alone. Default: `20`.",
		},
		"triggers": schema.MapAttribute{
			Optional:            true,
			ElementType:         types.StringType,
			MarkdownDescription: "Values of your choice: any change compacts again, in place.",
		},
	}
}

func outputAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                       computedString("Host and path at creation, as `host|path`."),
		"virtual_disk_id":          computedString("Identifier inside the disk. If the host changes and the path names a disk with another identifier there, the resource is replaced."),
		"format":                   computedString(describeFormat),
		"vhd_type":                 computedString(describeVHDType),
		"file_size_bytes":          computedInt64("Size in bytes of the file on the host, refreshed by every plan."),
		"baseline_file_size_bytes": computedInt64("Size in bytes after the last compaction that ran, or when the disk was last left alone because of what depends on it; growth counts from it."),
		"growth_bytes":             computedInt64("Growth in bytes since the baseline; negative when the file has shrunk."),
		"total_reclaimed_bytes":    computedInt64("Bytes that all runs of this resource have reclaimed."),
		"status":                   computedString("How the last run ended: `compacted`, `unchanged`, `skipped_in_use`, `skipped_dependents`, `below_minimum`, `interrupted`, `unknown`, `failed`, `not_compactable` or `imported`."),
		"status_detail":            computedString("One sentence about the status."),
		"plan_reason":              computedString("Why a run is planned, known in the plan; afterwards why the last run was planned."),
		"left_attached": schema.BoolAttribute{
			Computed:            true,
			MarkdownDescription: "Whether the disk may still be attached to the node because it could not be detached. The next run finds out and gives it back if it can be told to be this resource's.",
		},
		"left_attached_at": schema.SingleNestedAttribute{
			Computed:            true,
			MarkdownDescription: "Where the disk may still be attached, as the node named it; what was not seen is null.",
			Attributes:          leftAtAttributes(),
		},
		"node": computedString("Computer name of the Hyper-V host that answered the last run, by its own word. It differs from `host` where that is an alias or the name of a cluster; null before the first run and where the host does not tell it."),
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

// timeoutsAttribute is what timeouts.Attributes makes, with a check that names
// the attribute and refuses durations that end before they begin.
func timeoutsAttribute(descriptions map[string]string) schema.Attribute {
	members := map[string]schema.Attribute{}
	for name, description := range descriptions {
		members[name] = schema.StringAttribute{
			Optional:            true,
			Validators:          []validator.String{durationValidator{}},
			MarkdownDescription: description,
		}
	}
	return schema.SingleNestedAttribute{
		Optional:            true,
		CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutTypes()}},
		MarkdownDescription: describeTimeouts + " A change is an update without a run.",
		Attributes:          members,
	}
}

// timeoutTypes are the types of the members of timeouts.
func timeoutTypes() map[string]attr.Type { return timeoutMembers("create", "update", "read") }
