using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>The operator's own image of the nodes: <paramref name="Repository"/>, and which of its images, <c>:tag</c>, <c>@digest</c> or both.</summary>
internal sealed record NodeImage(string Repository, string Suffix)
{
    /// <summary>Splits <c>host:port/name:tag@digest</c>; with neither tag nor digest it is <paramref name="defaultTag"/>.</summary>
    public static NodeImage Parse(string image, string defaultTag)
    {
        var name = image.IndexOf('@', StringComparison.Ordinal) is >= 0 and var digest ? image[..digest] : image;
        name = name.LastIndexOf(':') is var colon && colon > name.LastIndexOf('/') ? name[..colon] : name;
        return new NodeImage(name, name.Length < image.Length ? image[name.Length..] : $":{defaultTag}");
    }

    /// <summary>What the spec says; else what runs already, so that a new operator changes no node; else our own. A version is a tag: a digest of ours is another image's.</summary>
    public string For(ClusterSpec spec, string? existing) => spec.Image ?? (spec.Version is not null ? $"{Repository}:{spec.Version}" : existing ?? Repository + Suffix);
}
