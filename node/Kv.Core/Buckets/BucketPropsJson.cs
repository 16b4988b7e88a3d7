using System.Text.Json;

namespace Kv.Core.Buckets;

/// <summary>
/// Properties as JSON under Riak's names: what `GET …/props` shows (reference 7.3) and what the cluster document keeps. Functions are
/// {"mod", "fun"}, quorums words or numbers; properties that are unset are left away.
/// </summary>
public static class BucketPropsJson
{
    /// <summary>Writes the properties into the object that the writer has open; names that are not properties (`name`) are the caller's to add.</summary>
    public static void Write(Utf8JsonWriter writer, BucketProps props) => BucketPropertyTable.Write(writer, props);

    /// <summary>
    /// Reads what <see cref="Write"/> wrote: properties that were valid, whatever rules have come since. Properties that are missing have
    /// <see cref="BucketProps"/>' defaults. What is no such object gives false and the reason.
    /// </summary>
    public static bool TryRead(JsonElement json, out BucketProps props, out string reason)
    {
        props = BucketProps.DefaultType;
        reason = json.ValueKind == JsonValueKind.Object ? "" : "properties must be an object";
        if (reason.Length != 0)
        {
            return false;
        }

        try
        {
            foreach (var property in json.EnumerateObject())
            {
                if (BucketPropertyTable.TrySet(ref props, property.Name, property.Value) is { } problem)
                {
                    reason = $"{property.Name}: {problem}";
                    return false;
                }
            }
        }
        catch (InvalidOperationException)
        {
            reason = BucketPropertyTable.NoText;
        }

        return reason.Length == 0;
    }
}
