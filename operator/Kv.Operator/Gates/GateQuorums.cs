using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Gates;

/// <summary>What bucket types, and buckets with properties of their own, ask of a preference list. Pure.</summary>
internal static class GateQuorums
{
    private const int DefaultNVal = 3;
    private const int MaxBucketName = 64;
    private static readonly string[] Names = ["r", "w", "pr", "pw", "dw", "rw"];

    /// <summary>For each n_val the one that asks for most; there may be hundreds, and the others say nothing more. A type that is not active yet has no requests.</summary>
    public static ImmutableArray<GateQuorum> Of(Admin.BucketTypes told) =>
    [
        .. told.BucketTypes_.Where(type => type.State == Admin.BucketType.Types.State.Active).Select(type => OfType(type.Name, type.PropsJson))
            .Concat(told.StrictBuckets.Select(OfBucket))
            .GroupBy(quorum => quorum.NVal)
            .Select(same => same.MaxBy(quorum => quorum.Required)!),
    ];

    /// <summary>Of all types, those too that are not active yet, and of buckets.</summary>
    public static ImmutableArray<int> NValsOf(Admin.BucketTypes told) =>
        [.. told.BucketTypes_.Select(type => OfType(type.Name, type.PropsJson)).Concat(told.StrictBuckets.Select(OfBucket)).Select(quorum => quorum.NVal).Distinct().Order()];

    private static GateQuorum OfType(string name, string propsJson)
    {
        var props = Parse(propsJson);
        var n = props["n_val"] is JsonValue value && value.TryGetValue<int>(out var number) && number > 0 ? number : DefaultNVal;
        return new GateQuorum($"bucket type {name}", n, Names.Max(one => Number(props[one], n)));
    }

    private static GateQuorum OfBucket(Admin.StrictBucket bucket)
    {
        // Any bytes may be a bucket's name, and this one goes into a condition.
        var name = string.Concat(Encoding.UTF8.GetString(bucket.Bucket.Span).Select(letter => char.IsControl(letter) ? '?' : letter));
        var text = name.Length <= MaxBucketName ? name : name[..MaxBucketName] + "…";
        return new GateQuorum($"bucket {text} of type {bucket.BucketType}", Math.Max(1, bucket.NVal), Math.Clamp(bucket.Quorum, 1, Math.Max(1, bucket.NVal)));
    }

    private static JsonObject Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // A newer node's way to say it: the defaults are what its quorums are unless it says otherwise.
            return [];
        }
    }

    /// <summary>A quorum at least, whatever is configured: a request may ask for one.</summary>
    private static int Number(JsonNode? value, int n)
    {
        var quorum = (n / 2) + 1;
        var asked = value is JsonValue one
            ? one.TryGetValue<int>(out var number) ? number : one.TryGetValue<string>(out var word) && word == "all" ? n : quorum
            : quorum;
        return Math.Clamp(asked, quorum, n);
    }
}
