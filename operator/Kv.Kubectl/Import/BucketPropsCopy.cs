using System.Globalization;
using System.Text.Json.Nodes;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>What a bucket of the target needs to behave as in the source: the properties that differ, and in words what cannot be carried over.</summary>
/// <param name="Change">By Riak's names; empty where all is the same.</param>
/// <param name="Own">Names of those among them that somebody has set for the target's bucket: they are not its type's.</param>
/// <param name="Notes">For people.</param>
internal sealed record BucketPropsCopy(JsonObject Change, IReadOnlyList<string> Own, IReadOnlyList<string> Notes)
{
    /// <param name="source">What is in force there.</param>
    /// <param name="target">What is in force here.</param>
    /// <param name="type">What is in force here for its type.</param>
    public static BucketPropsCopy Of(RpbBucketProps source, JsonObject target, JsonObject type)
    {
        var change = new JsonObject();
        foreach (var (name, value) in Carried(source))
        {
            if (value is not null && !JsonNode.DeepEquals(value, target[name]))
            {
                change[name] = value;
            }
        }

        List<string> own = [.. change.Select(prop => prop.Key).Where(name => !JsonNode.DeepEquals(target[name], type[name]))];
        if (change["last_write_wins"] is { } wins && wins.GetValue<bool>())
        {
            // Riak's rule: the two exclude each other. Its messages do not carry the second.
            change["dvv_enabled"] = false;
        }

        return new BucketPropsCopy(change, own, [.. NotesOf(source, target)]);
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Carried(RpbBucketProps source) =>
    [
        ("allow_mult", source.HasAllowMult ? source.AllowMult : null),
        ("last_write_wins", source.HasLastWriteWins ? source.LastWriteWins : null),
        ("basic_quorum", source.HasBasicQuorum ? source.BasicQuorum : null),
        ("notfound_ok", source.HasNotfoundOk ? source.NotfoundOk : null),
        ("r", Quorum(source.HasR, source.R)),
        ("w", Quorum(source.HasW, source.W)),
        ("pr", Quorum(source.HasPr, source.Pr)),
        ("pw", Quorum(source.HasPw, source.Pw)),
        ("dw", Quorum(source.HasDw, source.Dw)),
        ("rw", Quorum(source.HasRw, source.Rw)),
        ("old_vclock", source.HasOldVclock ? source.OldVclock : null),
        ("young_vclock", source.HasYoungVclock ? source.YoungVclock : null),
        ("big_vclock", source.HasBigVclock ? source.BigVclock : null),
        ("small_vclock", source.HasSmallVclock ? source.SmallVclock : null),
    ];

    private static IEnumerable<string> NotesOf(RpbBucketProps source, JsonObject target)
    {
        if (source.HasNVal && target["n_val"]?.GetValue<long>() is { } nVal && nVal != source.NVal)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"n_val is {source.NVal} in the source and {nVal} here, where it is its type's");
        }

        if (source.Precommit.Count > 0 || source.Postcommit.Count > 0)
        {
            yield return "its commit hooks are not carried over: they are programs of the source";
        }

        if (source.HasSearchIndex && source.SearchIndex.ToStringUtf8() != "_dont_index_")
        {
            yield return "it has a search index in the source: there is no search here";
        }

        if (source.WriteOnce != (target["write_once"]?.GetValue<bool>() ?? false))
        {
            yield return source.WriteOnce ? "it is write-once in the source, and is not here, where that is its type's" : "it is write-once here, as its type is, and is not in the source";
        }

        if (source.HasBackend && source.Backend.ToStringUtf8() is var backend && (string?)target["backend"] != backend)
        {
            yield return $"its backend is {backend} in the source and {(string?)target["backend"] ?? "the nodes' own"} here, where it is its type's";
        }

        if (source.ChashKeyfun is { } keyfun && NameOf(keyfun) != "riak_core_util:chash_std_keyfun")
        {
            yield return $"its keys are placed by {NameOf(keyfun)} in the source, which is not carried over";
        }

        if (source.Linkfun is { } linkfun && NameOf(linkfun) != "riak_kv_wm_link_walker:mapreduce_linkfun")
        {
            yield return $"its links are walked by {NameOf(linkfun)} in the source, which is not carried over";
        }

        if (source.Consistent)
        {
            yield return "it is strongly consistent in the source, and is not here";
        }
    }

    private static string NameOf(RpbModFun function) => $"{function.Module.ToStringUtf8()}:{function.Function.ToStringUtf8()}";

    /// <summary>Riak's words at the upper end of the numbers.</summary>
    private static JsonNode? Quorum(bool isGiven, uint value) => !isGiven ? null : value switch
    {
        uint.MaxValue - 1 => "one",
        uint.MaxValue - 2 => "quorum",
        uint.MaxValue - 3 => "all",
        uint.MaxValue - 4 => null,
        _ => value,
    };
}
