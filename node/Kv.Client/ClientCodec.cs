using Google.Protobuf;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>Between this package's types and the messages of `kv.v1`.</summary>
internal static class ClientCodec
{
    public static Proto.GetRequest Get(ObjectKey key, GetOptions options)
    {
        var request = new Proto.GetRequest
        {
            Key = Key(key),
            R = Quorum(options.R),
            Pr = Quorum(options.Pr),
            NodeConfirms = Quorum(options.NodeConfirms),
            HeadOnly = options.HeadOnly,
            IfModified = Copy(options.IfModified),
        };
        if (options.BasicQuorum is { } basicQuorum)
        {
            request.BasicQuorum = basicQuorum;
        }

        if (options.NotFoundOk is { } notFoundOk)
        {
            request.NotfoundOk = notFoundOk;
        }

        if (!options.SloppyQuorum)
        {
            request.SloppyQuorum = false;
        }

        if (options.NVal is { } nVal)
        {
            request.NVal = (uint)nVal;
        }

        return request;
    }

    public static Proto.PutRequest Put(ObjectKey key, KvValue value, PutOptions options)
    {
        var request = new Proto.PutRequest
        {
            Key = Key(key),
            Content = Content(value),
            Context = Copy(options.Context),
            W = Quorum(options.W),
            Dw = Quorum(options.Dw),
            Pw = Quorum(options.Pw),
            NodeConfirms = Quorum(options.NodeConfirms),
            ReturnBody = options.ReturnBody,
            ReturnHead = options.ReturnHead,
            IfNoneMatch = options.IfNoneMatch,
            IfNotModified = options.IfNotModified,
            Asis = options.AsIs,
        };
        if (!options.SloppyQuorum)
        {
            request.SloppyQuorum = false;
        }

        if (options.NVal is { } nVal)
        {
            request.NVal = (uint)nVal;
        }

        return request;
    }

    public static Proto.DeleteRequest Delete(ObjectKey key, DeleteOptions options)
    {
        var request = new Proto.DeleteRequest
        {
            Key = Key(key),
            Rw = Quorum(options.Rw),
            R = Quorum(options.R),
            Pr = Quorum(options.Pr),
            W = Quorum(options.W),
            Dw = Quorum(options.Dw),
            Pw = Quorum(options.Pw),
            NodeConfirms = Quorum(options.NodeConfirms),
        };
        if (!options.Context.IsEmpty)
        {
            request.Context = Copy(options.Context);
        }

        if (!options.SloppyQuorum)
        {
            request.SloppyQuorum = false;
        }

        if (options.NVal is { } nVal)
        {
            request.NVal = (uint)nVal;
        }

        return request;
    }

    public static GetResult Result(Proto.GetResponse response)
    {
        if (response.Unchanged)
        {
            return new GetResult.Unchanged();
        }

        return response.Object is { } found ? new GetResult.Found(View(found)) : new GetResult.NotFound(response.TombstoneContext.Memory);
    }

    public static PutResult Result(Proto.PutResponse response, ObjectKey key) => new(
        response.Object is { } stored ? View(stored) : null,
        response.GeneratedKey.IsEmpty ? key.Key : response.GeneratedKey.Memory);

    public static KvException Exception(Proto.Error error) =>
        new((KvErrorCode)error.Code, error.Message, error.Retryable, error.Indeterminate);

    public static Proto.Key Key(ObjectKey key) => new()
    {
        BucketType = key.BucketType == ObjectKey.DefaultType ? "" : key.BucketType,
        Bucket = Copy(key.Bucket),
        Key_ = Copy(key.Key),
    };

    private static Proto.Content Content(KvValue value)
    {
        var content = new Proto.Content
        {
            Value = Copy(value.Value),
            ContentType = value.ContentType ?? "",
            Charset = value.Charset ?? "",
            ContentEncoding = value.ContentEncoding ?? "",
        };
        foreach (var link in value.Links)
        {
            content.Links.Add(new Proto.Link { Bucket = link.Bucket, Key = link.Key, Tag = link.Tag });
        }

        foreach (var (name, text) in value.UserMetadata)
        {
            content.UserMetadata.Add(new Proto.Pair { Name = name, Value = text });
        }

        foreach (var (name, text) in value.Indexes)
        {
            content.Indexes.Add(new Proto.Pair { Name = name, Value = text });
        }

        return content;
    }

    private static KvObjectView View(Proto.Object found)
    {
        var siblings = new KvSibling[found.Siblings.Count];
        for (var i = 0; i < siblings.Length; i++)
        {
            siblings[i] = Sibling(found.Siblings[i]);
        }

        return new KvObjectView(siblings, found.Context.Memory);
    }

    private static KvSibling Sibling(Proto.Content content) => new(
        new KvValue(content.Value.Memory)
        {
            ContentType = TextOrNull(content.ContentType),
            Charset = TextOrNull(content.Charset),
            ContentEncoding = TextOrNull(content.ContentEncoding),
            Links = content.Links.Count == 0 ? [] : [.. content.Links.Select(link => new Link(link.Bucket, link.Key, link.Tag))],
            UserMetadata = Pairs(content.UserMetadata),
            Indexes = Pairs(content.Indexes),
        },
        content.Vtag,
        DateTimeOffset.UnixEpoch.AddMicroseconds(content.LastModifiedMicroseconds),
        content.Tombstone);

    private static KeyValuePair<string, string>[] Pairs(Google.Protobuf.Collections.RepeatedField<Proto.Pair> pairs) =>
        pairs.Count == 0 ? [] : [.. pairs.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))];

    private static string? TextOrNull(string text) => text.Length == 0 ? null : text;

    public static Proto.Quorum? Quorum(QuorumValue value)
    {
        if (value.IsDefault)
        {
            return null;
        }

        if (value == QuorumValue.One)
        {
            return new Proto.Quorum { Word = Proto.Quorum.Types.Word.One };
        }

        if (value == QuorumValue.Quorum)
        {
            return new Proto.Quorum { Word = Proto.Quorum.Types.Word.Quorum };
        }

        return value == QuorumValue.All
            ? new Proto.Quorum { Word = Proto.Quorum.Types.Word.All }
            : new Proto.Quorum { Number = (uint)value.Code };
    }

    /// <summary>Of its own: a message may be written to its connection after the call that made it has ended, and its caller does with the bytes what it likes by then.</summary>
    public static ByteString Copy(ReadOnlyMemory<byte> bytes) => ByteString.CopyFrom(bytes.Span);
}
