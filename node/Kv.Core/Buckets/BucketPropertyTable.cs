using System.Globalization;
using System.Text.Json;
using Kv.Core.Quorum;
using Kv.Core.Stores;

namespace Kv.Core.Buckets;

/// <summary>Each property by Riak's name: how it is read from JSON, one at a time and without regard to the others, and how it is written.</summary>
internal static class BucketPropertyTable
{
    /// <summary>Of JSON that a parser takes, with a name or text that is no Unicode: half a surrogate pair, or bytes that are not UTF-8. Its reading throws <see cref="InvalidOperationException"/>.</summary>
    public const string NoText = "has a name or a text that is not UTF-8";

    private static readonly string[] DataTypes = ["counter", "set", "gset", "map", "hll"];
    private static readonly string[] ReplModes = ["true", "false", "realtime", "fullsync"];

    /// <summary>Sets a property; null where that worked, else the reason why not, with <paramref name="props"/> as they were.</summary>
    public static string? TrySet(ref BucketProps props, string name, JsonElement value)
    {
        switch (name)
        {
            case "n_val":
                return TryInteger(value, out var nVal) ? Done(props = props with { NVal = nVal }) : "not_integer";
            case "old_vclock":
                return TryInteger(value, out var old) ? Done(props = props with { OldVClockSeconds = old }) : "not_integer";
            case "young_vclock":
                return TryInteger(value, out var young, least: 0) ? Done(props = props with { YoungVClockSeconds = young }) : "not_integer";
            case "big_vclock":
                return TryInteger(value, out var big) ? Done(props = props with { BigVClock = big }) : "not_integer";
            case "small_vclock":
                return TryInteger(value, out var small) ? Done(props = props with { SmallVClock = small }) : "not_integer";
            case "ttl":
                return TryInteger(value, out var ttl, least: 0) ? Done(props = props with { TtlSeconds = ttl == 0 ? null : ttl }) : "must be a number of seconds, 0 for none";
            case "hll_precision":
                return TryInteger(value, out var precision) ? Done(props = props with { HllPrecision = precision }) : "must be an integer from 4 to 16, and may only be reduced once set";
            case "r" or "w" or "rw" or "dw" or "pr" or "pw" or "node_confirms":
                return TrySetQuorum(ref props, name, value);
            case "aae" or "allow_mult" or "last_write_wins" or "dvv_enabled" or "basic_quorum" or "notfound_ok" or "consistent" or "write_once" or "stat_tracked":
                return TryBoolean(value, out var flag) ? Done(props = WithFlag(props, name, flag)) : "not_boolean";
            default:
                return TrySetOther(ref props, name, value);
        }
    }

    public static IEnumerable<(string Name, QuorumValue Value)> Quorums(BucketProps props) =>
    [
        ("r", props.R), ("w", props.W), ("pr", props.Pr), ("pw", props.Pw), ("dw", props.Dw), ("rw", props.Rw), ("node_confirms", props.NodeConfirms),
    ];

    public static void Write(Utf8JsonWriter writer, BucketProps props)
    {
        if (!props.Aae)
        {
            writer.WriteBoolean("aae", false);
        }

        writer.WriteBoolean("allow_mult", props.AllowMult);
        WriteOptional(writer, "backend", props.Backend);
        writer.WriteBoolean("basic_quorum", props.BasicQuorum);
        writer.WriteNumber("big_vclock", props.BigVClock);
        WriteFunction(writer, "chash_keyfun", props.ChashKeyFun);
        if (props.Consistent)
        {
            writer.WriteBoolean("consistent", true);
        }

        WriteOptional(writer, "datatype", props.DataType);
        WriteDeleteMode(writer, props.DeleteMode);
        writer.WriteString("durability", DurabilityName(props.Durability));
        writer.WriteBoolean("dvv_enabled", props.DvvEnabled);
        if (props.HllPrecision is { } precision)
        {
            writer.WriteNumber("hll_precision", precision);
        }

        writer.WriteBoolean("last_write_wins", props.LastWriteWins);
        WriteFunction(writer, "linkfun", props.LinkFun);
        writer.WriteNumber("n_val", props.NVal);
        writer.WriteBoolean("notfound_ok", props.NotFoundOk);
        writer.WriteNumber("old_vclock", props.OldVClockSeconds);
        CommitHooks.Write(writer, "postcommit", props.PostCommit);
        CommitHooks.Write(writer, "precommit", props.PreCommit);
        foreach (var (name, value) in Quorums(props))
        {
            WriteQuorum(writer, name, value);
        }

        WriteRepl(writer, props.Repl);
        WriteOptional(writer, "search_index", props.SearchIndex);
        writer.WriteNumber("small_vclock", props.SmallVClock);
        writer.WriteBoolean("stat_tracked", props.StatTracked);
        writer.WriteString("sync_on_write", SyncName(props.SyncOnWrite));
        if (props.TtlSeconds is { } ttl)
        {
            writer.WriteNumber("ttl", ttl);
        }

        if (props.WriteOnce)
        {
            writer.WriteBoolean("write_once", true);
        }

        writer.WriteNumber("young_vclock", props.YoungVClockSeconds);
    }

    private static string? TrySetOther(ref BucketProps props, string name, JsonElement value)
    {
        switch (name)
        {
            case "name":
                return null;
            case "claimant":
                return "Cannot update claimant property";
            case "active":
                return "Cannot modify active property";
            case "sync_on_write":
                return TrySync(value, out var sync) ? Done(props = props with { SyncOnWrite = sync }) : "not_valid_sync_param";
            case "delete_mode":
                return TryDeleteMode(value, out var mode) ? Done(props = props with { DeleteMode = mode }) : "must be keep, immediate or a delay in milliseconds";
            case "durability":
                return TryDurability(value, out var durability) ? Done(props = props with { Durability = durability }) : "must be synced, interval or memory";
            case "datatype":
                var type = Text(value);
                return type is not null && DataTypes.Contains(type)
                    ? Done(props = props with { DataType = type })
                    : $"{type ?? value.GetRawText()} not supported for bucket datatype property";
            case "repl":
                var repl = Text(value);
                return repl is not null && ReplModes.Contains(repl) ? Done(props = props with { Repl = repl }) : "must be true, false, realtime or fullsync";
            case "backend":
                return TryName(value, out var backend) ? Done(props = props with { Backend = backend }) : "not_valid_name";
            case "search_index":
                return TryName(value, out var index) ? Done(props = props with { SearchIndex = index }) : "not_valid_name";
            case "linkfun":
                return TryFunction(value, out var linkFun) ? Done(props = props with { LinkFun = linkFun }) : "must be an object of the form {\"mod\": …, \"fun\": …}";
            case "chash_keyfun":
                return TryFunction(value, out var keyFun) && keyFun == BucketProps.DefaultType.ChashKeyFun
                    ? null
                    : "riak_core_util:chash_std_keyfun is the only one supported";
            case "precommit":
                return CommitHooks.TryRead(value, out var before) ?? Done(props = props with { PreCommit = before });
            case "postcommit":
                return CommitHooks.TryRead(value, out var after) ?? Done(props = props with { PostCommit = after });
            default:
                return "unknown property";
        }
    }

    private static string? TrySetQuorum(ref BucketProps props, string name, JsonElement value)
    {
        var least = name is "r" or "w" or "rw" ? 1 : 0;
        var text = Text(value);
        if (text is null || !QuorumValue.TryParse(text, out var quorum) || quorum.IsDefault || (quorum.Code >= 0 && quorum.Code < least))
        {
            return "not_valid_quorum";
        }

        props = name switch
        {
            "r" => props with { R = quorum },
            "w" => props with { W = quorum },
            "rw" => props with { Rw = quorum },
            "dw" => props with { Dw = quorum },
            "pr" => props with { Pr = quorum },
            "pw" => props with { Pw = quorum },
            _ => props with { NodeConfirms = quorum },
        };
        return null;
    }

    private static BucketProps WithFlag(BucketProps props, string name, bool flag) => name switch
    {
        "aae" => props with { Aae = flag },
        "allow_mult" => props with { AllowMult = flag },
        "last_write_wins" => props with { LastWriteWins = flag },
        "dvv_enabled" => props with { DvvEnabled = flag },
        "basic_quorum" => props with { BasicQuorum = flag },
        "notfound_ok" => props with { NotFoundOk = flag },
        "consistent" => props with { Consistent = flag },
        "write_once" => props with { WriteOnce = flag },
        _ => props with { StatTracked = flag },
    };

    // So that an arm of a switch can assign and answer "no problem".
    private static string? Done(BucketProps _) => null;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    private static bool TryInteger(JsonElement value, out int number, int least = 1)
    {
        number = 0;
        return value.ValueKind is JsonValueKind.Number or JsonValueKind.String
            && int.TryParse(Text(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
            && number >= least;
    }

    private static bool TryBoolean(JsonElement value, out bool flag)
    {
        var text = Text(value);
        if (bool.TryParse(text, out flag))
        {
            return true;
        }

        var isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        flag = number > 0;
        return isNumber;
    }

    private static bool TryName(JsonElement value, out string name)
    {
        name = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return name.Length is > 0 and <= 255;
    }

    private static bool TryFunction(JsonElement value, out ModuleFunction function)
    {
        function = null!;
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("mod", out var module) || module.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("fun", out var name) || name.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        function = new ModuleFunction(module.GetString()!, name.GetString()!);
        return true;
    }

    private static bool TrySync(JsonElement value, out SyncOnWrite sync)
    {
        (var ok, sync) = Text(value) switch
        {
            "backend" => (true, SyncOnWrite.Backend),
            "one" => (true, SyncOnWrite.One),
            "all" => (true, SyncOnWrite.All),
            _ => (false, SyncOnWrite.Backend),
        };
        return ok;
    }

    private static bool TryDurability(JsonElement value, out Durability durability)
    {
        (var ok, durability) = Text(value) switch
        {
            "synced" => (true, Durability.Synced),
            "interval" => (true, Durability.Interval),
            "memory" => (true, Durability.Memory),
            _ => (false, Durability.Synced),
        };
        return ok;
    }

    private static bool TryDeleteMode(JsonElement value, out DeleteMode mode) => DeleteMode.TryParse(Text(value) ?? "", out mode);

    private static string SyncName(SyncOnWrite sync) => sync switch
    {
        SyncOnWrite.One => "one",
        SyncOnWrite.All => "all",
        _ => "backend",
    };

    private static string DurabilityName(Durability durability) => durability switch
    {
        Durability.Interval => "interval",
        Durability.Memory => "memory",
        _ => "synced",
    };

    private static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    private static void WriteRepl(Utf8JsonWriter writer, string? repl)
    {
        if (bool.TryParse(repl, out var flag))
        {
            writer.WriteBoolean("repl", flag);
        }
        else
        {
            WriteOptional(writer, "repl", repl);
        }
    }

    private static void WriteDeleteMode(Utf8JsonWriter writer, DeleteMode mode)
    {
        if (mode.DelayMilliseconds > 0)
        {
            writer.WriteNumber("delete_mode", mode.DelayMilliseconds);
        }
        else
        {
            writer.WriteString("delete_mode", mode.ToString());
        }
    }

    private static void WriteQuorum(Utf8JsonWriter writer, string name, QuorumValue value)
    {
        if (value.Code >= 0)
        {
            writer.WriteNumber(name, value.Code);
        }
        else
        {
            writer.WriteString(name, value.ToString());
        }
    }

    private static void WriteFunction(Utf8JsonWriter writer, string name, ModuleFunction function)
    {
        writer.WriteStartObject(name);
        writer.WriteString("mod", function.Module);
        writer.WriteString("fun", function.Function);
        writer.WriteEndObject();
    }
}
