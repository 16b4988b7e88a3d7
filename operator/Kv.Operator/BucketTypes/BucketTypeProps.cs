using System.Text.Json.Nodes;
using k8s.Models;
using Kv.Operator.Api.BucketTypes;

namespace Kv.Operator.BucketTypes;

/// <summary>Properties by our names ↔ by Riak's, which is what nodes read. Pure.</summary>
internal static class BucketTypeProps
{
    /// <summary>Riak's name of the precision of a HyperLogLog.</summary>
    public const string HllPrecision = "hll_precision";

    private const string Aae = "aae";
    private const string Ttl = "ttl";
    private const string SyncOnWrite = "sync_on_write";
    private const string Precommit = "precommit";
    private const string Postcommit = "postcommit";

    /// <summary>What a spec may leave away, and what that says then.</summary>
    private static readonly string[] LeftAway = [Aae, Ttl, SyncOnWrite, Precommit, Postcommit];

    /// <summary>Riak names of what cannot be changed once a type is there.</summary>
    private static readonly string[] Immutable = ["n_val", "datatype", "write_once", "consistent", "backend"];

    public static JsonObject ToRiak(BucketTypeSpec spec)
    {
        var props = new JsonObject
        {
            ["n_val"] = spec.NVal,
            ["r"] = Either(spec.R),
            ["w"] = Either(spec.W),
            ["pr"] = Either(spec.Pr),
            ["pw"] = Either(spec.Pw),
            ["dw"] = Either(spec.Dw),
            ["rw"] = Either(spec.Rw),
            ["node_confirms"] = Either(spec.NodeConfirms),
            ["allow_mult"] = spec.AllowMult,
            ["last_write_wins"] = spec.LastWriteWins,
            ["dvv_enabled"] = spec.DvvEnabled,
            ["notfound_ok"] = spec.NotFoundOk,
            ["basic_quorum"] = spec.BasicQuorum,
            ["delete_mode"] = Either(spec.DeleteMode),
            ["durability"] = spec.Durability,
        };
        Add(props, Aae, spec.Aae ? null : false);
        Add(props, Ttl, spec.TtlSeconds);
        Add(props, SyncOnWrite, spec.SyncOnWrite);
        Add(props, Precommit, Hooks(spec.Precommit));
        Add(props, Postcommit, Hooks(spec.Postcommit));
        Add(props, "backend", spec.Backend);
        Add(props, "datatype", spec.Datatype);
        Add(props, "write_once", spec.WriteOnce ? true : null);
        Add(props, "consistent", spec.Consistent ? true : null);
        Add(props, HllPrecision, spec.HllPrecision ?? (spec.Datatype == "hll" ? BucketTypeSpec.DefaultHllPrecision : null));
        Add(props, "old_vclock", spec.OldVClockSeconds);
        Add(props, "young_vclock", spec.YoungVClockSeconds);
        Add(props, "big_vclock", spec.BigVClock);
        Add(props, "small_vclock", spec.SmallVClock);
        return props;
    }

    /// <summary>Names of properties in which what the nodes have differs from what is wanted. What the nodes do not tell of is not compared, unless it can never be changed.</summary>
    public static IReadOnlyList<string> Differences(JsonObject wanted, JsonObject actual)
    {
        var names = wanted.Select(pair => pair.Key).Union(LeftAway, StringComparer.Ordinal).Where(name => Told(actual, name) is { } told && !Same(Told(wanted, name), told));
        return [.. names.Union(ImmutableDifferences(wanted, actual), StringComparer.Ordinal)];
    }

    public static IReadOnlyList<string> ImmutableDifferences(JsonObject wanted, JsonObject actual) =>
        [.. Immutable.Where(name => !Same(wanted[name], actual[name]))];

    /// <summary>The part that an update may carry: what differs and can change.</summary>
    public static JsonObject Changes(JsonObject wanted, JsonObject actual) =>
        new(Differences(wanted, actual).Except(Immutable, StringComparer.Ordinal).Select(name => KeyValuePair.Create(name, Told(wanted, name)?.DeepClone())));

    /// <summary>A property's value; that of those which are left out while they are as they always were, so that older nodes and operators can do without them.</summary>
    private static JsonNode? Told(JsonObject props, string name) => props[name] ?? name switch
    {
        Aae => true,
        Ttl => 0,
        SyncOnWrite => "backend",
        Precommit or Postcommit => new JsonArray(),
        _ => null,
    };

    private static void Add(JsonObject props, string name, JsonNode? value)
    {
        if (value is not null)
        {
            props[name] = value;
        }
    }

    private static JsonArray? Hooks(List<string>? names) => names is null ? null : new JsonArray([.. names.Select(name => new JsonObject { ["name"] = name })]);

    private static JsonNode Either(IntOrString value) => int.TryParse((string)value, out var number) ? number : JsonValue.Create((string)value);

    /// <summary>Numbers and words are the same whether quoted or not; nothing, false and an empty string are the same.</summary>
    private static bool Same(JsonNode? a, JsonNode? b) => Text(a) == Text(b);

    private static string Text(JsonNode? node) => node?.ToJsonString().Trim('"') is { } text && text is not ("false" or "null" or "undefined") ? text : "";
}
