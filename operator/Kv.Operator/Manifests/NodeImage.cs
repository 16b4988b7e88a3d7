using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The operator's own image of the nodes: <paramref name="Repository"/> and the tag of its release.</summary>
internal sealed record NodeImage(string Repository, string Tag)
{
    /// <summary>Splits <c>host:port/name:tag</c>; without a tag it is <paramref name="defaultTag"/>. A digest stays with the name.</summary>
    public static NodeImage Parse(string image, string defaultTag)
    {
        var colon = image.LastIndexOf(':');
        return colon > image.LastIndexOf('/') && !image.Contains('@', StringComparison.Ordinal) ? new NodeImage(image[..colon], image[(colon + 1)..]) : new NodeImage(image, defaultTag);
    }

    /// <summary>What the spec says; else what runs already, so that a new operator changes no node; else our own.</summary>
    public string For(ClusterSpec spec, string? existing) =>
        spec.Image ?? (spec.Version is not null ? $"{Repository}:{spec.Version}" : existing ?? (Repository.Contains('@', StringComparison.Ordinal) ? Repository : $"{Repository}:{Tag}"));
}
