using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Core.Buckets;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>`RpbBucketProps` ↔ properties (riak_pb_codec). A change becomes JSON under Riak's names, which is what the rules of properties judge.</summary>
internal static class PbProps
{
    public static RpbBucketProps Write(BucketProps props)
    {
        var message = new RpbBucketProps
        {
            NVal = (uint)props.NVal,
            AllowMult = props.AllowMult,
            LastWriteWins = props.LastWriteWins,
            HasPrecommit = true,
            HasPostcommit = true,
            ChashKeyfun = Function(props.ChashKeyFun),
            Linkfun = Function(props.LinkFun),
            OldVclock = (uint)props.OldVClockSeconds,
            YoungVclock = (uint)props.YoungVClockSeconds,
            BigVclock = (uint)props.BigVClock,
            SmallVclock = (uint)props.SmallVClock,
            Pr = PbFields.NumberOf(props.Pr),
            R = PbFields.NumberOf(props.R),
            W = PbFields.NumberOf(props.W),
            Pw = PbFields.NumberOf(props.Pw),
            Dw = PbFields.NumberOf(props.Dw),
            Rw = PbFields.NumberOf(props.Rw),
            BasicQuorum = props.BasicQuorum,
            NotfoundOk = props.NotFoundOk,
        };
        message.Precommit.AddRange(props.PreCommit.Select(Hook));
        message.Postcommit.AddRange(props.PostCommit.Select(Hook));
        WriteOptional(message, props);
        return message;
    }

    /// <summary>The change that the message asks for: the fields that it has.</summary>
    public static JsonElement ReadChange(RpbBucketProps message, ref PbFields fields)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteNumbers(json, message);
            WriteFlags(json, message);
            WriteQuorums(json, message);
            WriteHooks(json, "precommit", message.HasPrecommit, message.Precommit, ref fields);
            WriteHooks(json, "postcommit", message.HasPostcommit, message.Postcommit, ref fields);
            WriteFunction(json, "chash_keyfun", message.ChashKeyfun, ref fields);
            WriteFunction(json, "linkfun", message.Linkfun, ref fields);
            WriteNames(json, message, ref fields);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static void WriteOptional(RpbBucketProps message, BucketProps props)
    {
        if (props.Backend is { } backend)
        {
            message.Backend = ByteString.CopyFromUtf8(backend);
        }

        if (props.SearchIndex is { } index)
        {
            message.SearchIndex = ByteString.CopyFromUtf8(index);
        }

        if (props.DataType is { } dataType)
        {
            message.Datatype = ByteString.CopyFromUtf8(dataType);
        }

        if (props.Repl is { } repl)
        {
            message.Repl = Enum.Parse<RpbBucketProps.Types.RpbReplMode>(repl, ignoreCase: true);
        }

        if (props.Consistent)
        {
            message.Consistent = true;
        }

        if (props.WriteOnce)
        {
            message.WriteOnce = true;
        }

        if (props.HllPrecision is { } precision)
        {
            message.HllPrecision = (uint)precision;
        }
    }

    private static void WriteNumbers(Utf8JsonWriter json, RpbBucketProps message)
    {
        WriteNumber(json, "n_val", message.HasNVal, message.NVal);
        WriteNumber(json, "old_vclock", message.HasOldVclock, message.OldVclock);
        WriteNumber(json, "young_vclock", message.HasYoungVclock, message.YoungVclock);
        WriteNumber(json, "big_vclock", message.HasBigVclock, message.BigVclock);
        WriteNumber(json, "small_vclock", message.HasSmallVclock, message.SmallVclock);
        WriteNumber(json, "hll_precision", message.HasHllPrecision, message.HllPrecision);
    }

    private static void WriteFlags(Utf8JsonWriter json, RpbBucketProps message)
    {
        WriteFlag(json, "allow_mult", message.HasAllowMult, message.AllowMult);
        WriteFlag(json, "last_write_wins", message.HasLastWriteWins, message.LastWriteWins);
        WriteFlag(json, "basic_quorum", message.HasBasicQuorum, message.BasicQuorum);
        WriteFlag(json, "notfound_ok", message.HasNotfoundOk, message.NotfoundOk);
        WriteFlag(json, "consistent", message.HasConsistent, message.Consistent);
        WriteFlag(json, "write_once", message.HasWriteOnce, message.WriteOnce);

        // A search that is switched off is what there is; one that is switched on is refused by the rules, as any property that would have no effect.
        WriteFlag(json, "search", message.HasSearch && message.Search, message.Search);
    }

    private static void WriteQuorums(Utf8JsonWriter json, RpbBucketProps message)
    {
        WriteQuorum(json, "r", message.HasR, message.R);
        WriteQuorum(json, "w", message.HasW, message.W);
        WriteQuorum(json, "pr", message.HasPr, message.Pr);
        WriteQuorum(json, "pw", message.HasPw, message.Pw);
        WriteQuorum(json, "dw", message.HasDw, message.Dw);
        WriteQuorum(json, "rw", message.HasRw, message.Rw);
    }

    private static void WriteNames(Utf8JsonWriter json, RpbBucketProps message, ref PbFields fields)
    {
        WriteName(json, "backend", message.HasBackend, message.Backend, ref fields);
        WriteName(json, "search_index", message.HasSearchIndex, message.SearchIndex, ref fields);
        WriteName(json, "datatype", message.HasDatatype, message.Datatype, ref fields);
        if (message.HasRepl)
        {
            json.WriteString("repl", message.Repl.ToString().ToLowerInvariant());
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, bool isGiven, uint value)
    {
        if (isGiven)
        {
            json.WriteNumber(name, value);
        }
    }

    private static void WriteFlag(Utf8JsonWriter json, string name, bool isGiven, bool value)
    {
        if (isGiven)
        {
            json.WriteBoolean(name, value);
        }
    }

    private static void WriteQuorum(Utf8JsonWriter json, string name, bool isGiven, uint value)
    {
        if (isGiven)
        {
            json.WriteString(name, PbFields.QuorumOf(isGiven, value).ToString());
        }
    }

    private static void WriteName(Utf8JsonWriter json, string name, bool isGiven, ByteString value, ref PbFields fields)
    {
        if (isGiven)
        {
            json.WriteString(name, fields.Text(value, name));
        }
    }

    private static void WriteFunction(Utf8JsonWriter json, string name, RpbModFun? function, ref PbFields fields)
    {
        if (function is not null)
        {
            json.WriteStartObject(name);
            json.WriteString("mod", fields.Text(function.Module, name));
            json.WriteString("fun", fields.Text(function.Function, name));
            json.WriteEndObject();
        }
    }

    private static void WriteHooks(Utf8JsonWriter json, string name, bool isGiven, RepeatedField<RpbCommitHook> hooks, ref PbFields fields)
    {
        // The flag is there to tell an empty list from none.
        if (!isGiven && hooks.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var hook in hooks)
        {
            json.WriteStartObject();
            if (hook.Modfun is { } function)
            {
                json.WriteString("mod", fields.Text(function.Module, name));
                json.WriteString("fun", fields.Text(function.Function, name));
            }

            WriteName(json, "name", hook.HasName, hook.Name, ref fields);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static RpbModFun Function(ModuleFunction function) =>
        new() { Module = ByteString.CopyFromUtf8(function.Module), Function = ByteString.CopyFromUtf8(function.Function) };

    private static RpbCommitHook Hook(string name) => new() { Name = ByteString.CopyFromUtf8(name) };
}
