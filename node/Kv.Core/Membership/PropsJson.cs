using System.Collections.Immutable;
using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Stores;

namespace Kv.Core.Membership;

/// <summary>Bucket properties inside a document.</summary>
internal static class PropsJson
{
    public static void Write(Utf8JsonWriter json, BucketProps props)
    {
        json.WriteStartObject();
        json.WriteNumber("n_val", props.NVal);
        json.WriteNumber("r", props.R.Code);
        json.WriteNumber("w", props.W.Code);
        json.WriteNumber("pr", props.Pr.Code);
        json.WriteNumber("pw", props.Pw.Code);
        json.WriteNumber("dw", props.Dw.Code);
        json.WriteNumber("rw", props.Rw.Code);
        json.WriteNumber("node_confirms", props.NodeConfirms.Code);
        json.WriteBoolean("allow_mult", props.AllowMult);
        json.WriteBoolean("last_write_wins", props.LastWriteWins);
        json.WriteBoolean("dvv_enabled", props.DvvEnabled);
        json.WriteBoolean("basic_quorum", props.BasicQuorum);
        json.WriteBoolean("notfound_ok", props.NotFoundOk);
        json.WriteNumber("sync_on_write", (int)props.SyncOnWrite);
        json.WriteNumber("old_vclock", props.OldVClockSeconds);
        json.WriteNumber("young_vclock", props.YoungVClockSeconds);
        json.WriteNumber("big_vclock", props.BigVClock);
        json.WriteNumber("small_vclock", props.SmallVClock);
        WriteFunctions(json, "precommit", props.PreCommit);
        WriteFunctions(json, "postcommit", props.PostCommit);
        WriteFunctions(json, "chash_keyfun", [props.ChashKeyFun]);
        WriteFunctions(json, "linkfun", [props.LinkFun]);
        json.WriteString("backend", props.Backend);
        json.WriteString("search_index", props.SearchIndex);
        json.WriteString("repl", props.Repl);
        json.WriteString("datatype", props.DataType);
        if (props.HllPrecision is { } precision)
        {
            json.WriteNumber("hll_precision", precision);
        }

        json.WriteBoolean("consistent", props.Consistent);
        json.WriteBoolean("write_once", props.WriteOnce);
        json.WriteBoolean("stat_tracked", props.StatTracked);
        json.WriteNumber("delete_mode", props.DeleteMode.DelayMilliseconds);
        json.WriteNumber("durability", (int)props.Durability);
        json.WriteEndObject();
    }

    public static BucketProps Read(JsonElement json) => new()
    {
        NVal = json.GetProperty("n_val").GetInt32(),
        R = ReadQuorum(json, "r"),
        W = ReadQuorum(json, "w"),
        Pr = ReadQuorum(json, "pr"),
        Pw = ReadQuorum(json, "pw"),
        Dw = ReadQuorum(json, "dw"),
        Rw = ReadQuorum(json, "rw"),
        NodeConfirms = ReadQuorum(json, "node_confirms"),
        AllowMult = json.GetProperty("allow_mult").GetBoolean(),
        LastWriteWins = json.GetProperty("last_write_wins").GetBoolean(),
        DvvEnabled = json.GetProperty("dvv_enabled").GetBoolean(),
        BasicQuorum = json.GetProperty("basic_quorum").GetBoolean(),
        NotFoundOk = json.GetProperty("notfound_ok").GetBoolean(),
        SyncOnWrite = DocumentJson.ReadEnum<SyncOnWrite>(json, "sync_on_write"),
        OldVClockSeconds = json.GetProperty("old_vclock").GetInt32(),
        YoungVClockSeconds = json.GetProperty("young_vclock").GetInt32(),
        BigVClock = json.GetProperty("big_vclock").GetInt32(),
        SmallVClock = json.GetProperty("small_vclock").GetInt32(),
        PreCommit = ReadFunctions(json, "precommit"),
        PostCommit = ReadFunctions(json, "postcommit"),
        ChashKeyFun = ReadFunctions(json, "chash_keyfun")[0],
        LinkFun = ReadFunctions(json, "linkfun")[0],
        Backend = json.GetProperty("backend").GetString(),
        SearchIndex = json.GetProperty("search_index").GetString(),
        Repl = json.GetProperty("repl").GetString(),
        DataType = json.GetProperty("datatype").GetString(),
        HllPrecision = json.TryGetProperty("hll_precision", out var precision) ? precision.GetInt32() : null,
        Consistent = json.GetProperty("consistent").GetBoolean(),
        WriteOnce = json.GetProperty("write_once").GetBoolean(),
        StatTracked = json.GetProperty("stat_tracked").GetBoolean(),
        DeleteMode = new DeleteMode(json.GetProperty("delete_mode").GetInt32()),
        Durability = DocumentJson.ReadEnum<Durability>(json, "durability"),
    };

    private static QuorumValue ReadQuorum(JsonElement json, string name) => QuorumValue.FromCode(json.GetProperty(name).GetInt32());

    private static void WriteFunctions(Utf8JsonWriter json, string name, ImmutableArray<ModuleFunction> functions)
    {
        json.WriteStartArray(name);
        foreach (var function in functions)
        {
            json.WriteStartObject();
            json.WriteString("mod", function.Module);
            json.WriteString("fun", function.Function);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ImmutableArray<ModuleFunction> ReadFunctions(JsonElement json, string name) =>
    [
        .. json.GetProperty(name).EnumerateArray().Select(f => new ModuleFunction(DocumentJson.ReadString(f, "mod"), DocumentJson.ReadString(f, "fun"))),
    ];
}
