using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Entities;

/// <summary>One statement about an object, in the form that every Kubernetes tool knows (<c>metav1.Condition</c>). Types and reasons are the closed list in <see cref="Conditions"/>.</summary>
public sealed class Condition
{
    [Required]
    [Length(1, 64)]
    [Description("What the statement is about.")]
    public string Type { get; set; } = "";

    [Required]
    [EnumValues("True", "False", "Unknown")]
    [Description("Whether it holds.")]
    public string Status { get; set; } = "Unknown";

    [Required]
    [Length(1, 64)]
    [Description("Why, in one word for programs.")]
    public string Reason { get; set; } = "";

    [Length(0, 2048)]
    [Description("Why, in a sentence for people.")]
    public string? Message { get; set; }

    [Required]
    [Description("When the status last changed.")]
    public DateTimeOffset LastTransitionTime { get; set; }

    [Description("The generation of the spec that the statement was made for.")]
    public long? ObservedGeneration { get; set; }
}
