using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Protos.Kv.V1;
using Link = Kv.Core.Objects.Link;

namespace Kv.Wire.Native;

/// <summary>
/// The messages of `kv.v1` ↔ <see cref="KvRequest"/> and <see cref="KvOutcome"/>. Values are wrapped and not copied: what gRPC read belongs to the
/// request, and what a store gave out is never written to again.
/// </summary>
internal static class NativeCodec
{
    public static Decoded<KvRequest.Get> Decode(GetRequest message, TimeSpan? limit)
    {
        var key = Key(message.Key, out var error);
        var ifModified = Clock(message.IfModified, ref error);
        CheckNVal(message.HasNVal, message.NVal, ref error);
        return error is not null ? new(null, error) : new(
            new KvRequest.Get
            {
                Key = key!,
                Timeout = Timeout(message.TimeoutMilliseconds, limit),
                SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
                NVal = message.HasNVal ? (int)message.NVal : null,
                NodeConfirms = Quorum(message.NodeConfirms),
                R = Quorum(message.R),
                Pr = Quorum(message.Pr),
                BasicQuorum = message.HasBasicQuorum ? message.BasicQuorum : null,
                NotFoundOk = message.HasNotfoundOk ? message.NotfoundOk : null,
                HeadOnly = message.HeadOnly,
                IfModified = ifModified,
            },
            null);
    }

    /// <summary><paramref name="generated"/> is the key that was made where the request has none.</summary>
    public static Decoded<KvRequest.Put> Decode(PutRequest message, TimeSpan? limit, out byte[]? generated)
    {
        generated = message.Key is { Key_.IsEmpty: true } ? GeneratedKey.New() : null;
        var key = Key(message.Key, out var error, generated);
        var context = Clock(message.Context, ref error);
        CheckNVal(message.HasNVal, message.NVal, ref error);
        var content = Content(message.Content, ref error);
        if (message.IfNoneMatch && message.IfNotModified)
        {
            error ??= new KvError.InvalidRequest("if_none_match and if_not_modified exclude each other");
        }

        return error is not null ? new(null, error) : new(
            new KvRequest.Put
            {
                Key = key!,
                Content = content!,
                Context = context ?? VersionVector.Empty,
                Timeout = Timeout(message.TimeoutMilliseconds, limit),
                SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
                NVal = message.HasNVal ? (int)message.NVal : null,
                NodeConfirms = Quorum(message.NodeConfirms),
                W = Quorum(message.W),
                Dw = Quorum(message.Dw),
                Pw = Quorum(message.Pw),
                ReturnBody = message.ReturnBody,
                ReturnHead = message.ReturnHead,
                IfNoneMatch = message.IfNoneMatch,
                IfNotModified = message.IfNotModified,
                AsIs = message.Asis,
            },
            null);
    }

    public static Decoded<KvRequest.Delete> Decode(DeleteRequest message, TimeSpan? limit)
    {
        var key = Key(message.Key, out var error);
        var context = Clock(message.Context, ref error);
        CheckNVal(message.HasNVal, message.NVal, ref error);
        return error is not null ? new(null, error) : new(
            new KvRequest.Delete
            {
                Key = key!,
                Context = message.HasContext ? context ?? VersionVector.Empty : null,
                Timeout = Timeout(message.TimeoutMilliseconds, limit),
                SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
                NVal = message.HasNVal ? (int)message.NVal : null,
                NodeConfirms = Quorum(message.NodeConfirms),
                Rw = Quorum(message.Rw),
                R = Quorum(message.R),
                Pr = Quorum(message.Pr),
                W = Quorum(message.W),
                Dw = Quorum(message.Dw),
                Pw = Quorum(message.Pw),
            },
            null);
    }

    public static GetResponse EncodeGet(KvOutcome outcome) => outcome switch
    {
        KvOutcome.Found found => new GetResponse { Object = Object(found.Object) },
        KvOutcome.NotFound { TombstoneContext: { } clock } => new GetResponse { TombstoneContext = Context(clock) },
        KvOutcome.NotFound => new GetResponse(),
        KvOutcome.Unchanged => new GetResponse { Unchanged = true },
        KvOutcome.Failed failed => new GetResponse { Error = NativeErrors.ToProto(failed.Error) },
        _ => throw new UnreachableException(),
    };

    public static PutResponse EncodePut(KvOutcome outcome, byte[]? generated)
    {
        var response = outcome switch
        {
            KvOutcome.Stored { Object: { } stored } => new PutResponse { Object = Object(stored) },
            KvOutcome.Stored => new PutResponse(),
            KvOutcome.Failed failed => new PutResponse { Error = NativeErrors.ToProto(failed.Error) },
            _ => throw new UnreachableException(),
        };
        if (generated is not null && response.Error is null)
        {
            response.GeneratedKey = Wrap(generated);
        }

        return response;
    }

    public static DeleteResponse EncodeDelete(KvOutcome outcome) => outcome switch
    {
        KvOutcome.Deleted => new DeleteResponse(),
        KvOutcome.NotFound => new DeleteResponse { NotFound = true },
        KvOutcome.Failed failed => new DeleteResponse { Error = NativeErrors.ToProto(failed.Error) },
        _ => throw new UnreachableException(),
    };

    public static ByteString Wrap(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(bytes);

    public static TimeSpan? Timeout(uint milliseconds, TimeSpan? limit)
    {
        TimeSpan? asked = milliseconds == 0 ? null : TimeSpan.FromMilliseconds(milliseconds);
        return asked is null || limit < asked ? limit ?? asked : asked;
    }

    public static ObjectKey? Key(Protos.Kv.V1.Key? key, out KvError? error, byte[]? generated = null)
    {
        error = key switch
        {
            null => new KvError.InvalidRequest("the key is missing"),
            { Bucket.IsEmpty: true } => new KvError.InvalidRequest("the bucket is empty"),
            { Key_.IsEmpty: true } when generated is null => new KvError.InvalidRequest("the key is empty"),
            { Bucket.Length: > ObjectKey.MaxBucketBytes } => TooLong("bucket", key.Bucket.Length, ObjectKey.MaxBucketBytes),
            { Key_.Length: > ObjectKey.MaxKeyBytes } => TooLong("key", key.Key_.Length, ObjectKey.MaxKeyBytes),
            { BucketType.Length: > ObjectKey.MaxTypeBytes } => TooLong("bucket type", key.BucketType.Length, ObjectKey.MaxTypeBytes),
            _ => null,
        };
        return error is not null ? null : new ObjectKey(
            key!.BucketType.Length == 0 ? ObjectKey.DefaultType : key.BucketType, key.Bucket.Memory, generated ?? key.Key_.Memory);
    }

    private static KvError.InvalidRequest TooLong(string what, int bytes, int most) =>
        new(string.Create(CultureInfo.InvariantCulture, $"the {what} has {bytes} bytes, at most {most} are allowed"));

    public static VersionVector? Clock(ByteString token, ref KvError? error)
    {
        if (token.IsEmpty)
        {
            return null;
        }

        if (CausalContext.TryDecode(token.Span, out var clock, out var reason))
        {
            return clock;
        }

        error ??= new KvError.InvalidRequest(reason);
        return null;
    }

    public static void CheckNVal(bool has, uint value, ref KvError? error)
    {
        if (has && value is 0 or > int.MaxValue)
        {
            error ??= new KvError.InvalidRequest("n_val must be at least 1");
        }
    }

    public static QuorumValue Quorum(Quorum? quorum) => quorum switch
    {
        { HasNumber: true } => QuorumValue.Of((int)Math.Min(quorum.Number, int.MaxValue)),
        { Word: Protos.Kv.V1.Quorum.Types.Word.One } => QuorumValue.One,
        { Word: Protos.Kv.V1.Quorum.Types.Word.Quorum } => QuorumValue.Quorum,
        { Word: Protos.Kv.V1.Quorum.Types.Word.All } => QuorumValue.All,
        _ => QuorumValue.Default,
    };

    private static Sibling? Content(Content? content, ref KvError? error)
    {
        if (content is null)
        {
            error ??= new KvError.InvalidRequest("the content is missing");
            return null;
        }

        if (content.Links.Count > MessageLimits.MaxEntries || content.UserMetadata.Count > MessageLimits.MaxEntries || content.Indexes.Count > MessageLimits.MaxEntries)
        {
            error ??= new KvError.InvalidRequest(MessageLimits.TooManyEntries);
            return null;
        }

        foreach (var pair in content.Indexes)
        {
            if (!IndexEntries.IsField(pair.Name.ToLowerInvariant()) || (IndexEntries.IsInteger(pair.Name.ToLowerInvariant()) && IndexTermCodec.ParseInteger(pair.Value) is null))
            {
                error ??= new KvError.InvalidRequest($"index entry {pair.Name}: a field ends in `_bin`, or in `_int` with an integer");
            }
        }

        return new Sibling
        {
            Dot = null,
            Value = content.Value.Memory,
            IsTombstone = false,
            Metadata = Metadata(content),
        };
    }

    private static ObjectMetadata Metadata(Content content)
    {
        var isPlain = content.ContentType.Length == 0 && content.Charset.Length == 0 && content.ContentEncoding.Length == 0
            && content.Links.Count == 0 && content.UserMetadata.Count == 0 && content.Indexes.Count == 0;
        return isPlain ? ObjectMetadata.Empty : new ObjectMetadata
        {
            ContentType = NullIfEmpty(content.ContentType),
            Charset = NullIfEmpty(content.Charset),
            ContentEncoding = NullIfEmpty(content.ContentEncoding),
            Links = [.. content.Links.Select(link => new Link(link.Bucket, link.Key, link.Tag))],
            UserMetadata = Pairs(content.UserMetadata),
            Indexes = Pairs(content.Indexes),
        };
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static ImmutableArray<KeyValuePair<string, string>> Pairs(RepeatedField<Pair> pairs) =>
        pairs.Count == 0 ? [] : [.. pairs.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))];

    private static ByteString Context(VersionVector clock) => Wrap(CausalContext.Encode(clock));

    private static Protos.Kv.V1.Object Object(KvObject source)
    {
        var message = new Protos.Kv.V1.Object { Context = Context(source.Clock) };
        foreach (var sibling in source.Siblings)
        {
            message.Siblings.Add(Content(sibling));
        }

        return message;
    }

    private static Content Content(Sibling sibling)
    {
        var metadata = sibling.Metadata;
        var content = new Content
        {
            Value = Wrap(sibling.Value),
            ContentType = metadata.ContentType ?? "",
            Charset = metadata.Charset ?? "",
            ContentEncoding = metadata.ContentEncoding ?? "",
            Vtag = sibling.VTag,
            LastModifiedMicroseconds = sibling.LastModifiedMicroseconds,
            Tombstone = sibling.IsTombstone,
        };
        foreach (var link in metadata.Links)
        {
            content.Links.Add(new Protos.Kv.V1.Link { Bucket = link.Bucket, Key = link.Key, Tag = link.Tag });
        }

        Add(content.UserMetadata, metadata.UserMetadata);
        Add(content.Indexes, metadata.Indexes);
        return content;
    }

    private static void Add(RepeatedField<Pair> field, ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        foreach (var (name, value) in pairs)
        {
            field.Add(new Pair { Name = name, Value = value });
        }
    }
}
