using System.Collections.Concurrent;
using System.Net.Sockets;
using Google.Protobuf;
using Kv.Chaos.Checks;
using Kv.Core.Objects;
using Kv.Protos;
using Kv.Protos.Riak;

namespace Kv.Chaos.Load;

/// <summary>Riak's Protocol Buffers, as Riak's clients use them: connections that are kept, each for one request at a time, to nodes in turn.</summary>
internal sealed class PbDoor(NodePicker nodes, DotCheck dots) : IKvDoor, IDataTypeDoor, IDisposable
{
    private const byte Error = 0;
    private const byte Get = 9;
    private const byte Put = 11;
    private const byte Delete = 13;
    private const byte FetchDataType = 80;
    private const byte UpdateDataType = 82;
    private const uint Quorum = 4294967293;
    private const uint Milliseconds = 5000;

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly string[] Transient = ["overload", "timeout", "all_nodes_down", "insufficient_vnodes", "_val_unsatisfied", "not ready"];
    private static readonly string[] Unmet = ["match_found", "modified", "notfound"];

    private readonly ConcurrentDictionary<string, ConcurrentBag<RiakConnection>> idle = [];

    public string Name => "pb";

    public async Task<DoorRead> GetAsync(ObjectKey key, bool fromPrimaries)
    {
        var request = new RpbGetReq { Type = Text(key.BucketType), Bucket = Bytes(key.Bucket), Key = Bytes(key.Key), Timeout = Milliseconds, Deletedvclock = true };
        if (fromPrimaries)
        {
            request.Pr = Quorum;
        }

        var answer = RpbGetResp.Parser.ParseFrom((await AskAsync(Get, request)).Message);
        return new DoorRead(
            answer.Content.Where(content => !content.Deleted).Select(content => Shown(key, content)).ToHashSet(StringComparer.Ordinal),
            answer.HasVclock ? answer.Vclock.ToBase64() : null);
    }

    public async Task<string> PutAsync(ObjectKey key, DoorPut put)
    {
        var content = new RpbContent { Value = Text(put.Value), ContentType = Text("text/plain") };
        var request = new RpbPutReq { Type = Text(key.BucketType), Bucket = Bytes(key.Bucket), Key = Bytes(key.Key), Content = content, Timeout = Milliseconds };
        if (IndexCheck.TermOf(key, put.Value) is { } term)
        {
            content.Indexes.Add(new RpbPair { Key = Text(IndexCheck.Field), Value = Text(term) });
        }

        if (put.Context is not null)
        {
            request.Vclock = ByteString.FromBase64(put.Context);
        }

        if (put.ToPrimaries)
        {
            request.Pw = Quorum;
        }

        switch (put.Condition)
        {
            case PutCondition.NothingThere:
                request.IfNoneMatch = true;
                break;
            case PutCondition.NotModified:
                request.IfNotModified = true;
                break;
        }

        return $"{Name} at {(await AskAsync(Put, request)).Node}";
    }

    public async Task DeleteAsync(ObjectKey key, string? context)
    {
        var request = new RpbDelReq { Type = Text(key.BucketType), Bucket = Bytes(key.Bucket), Key = Bytes(key.Key), Timeout = Milliseconds };
        if (context is not null)
        {
            request.Vclock = ByteString.FromBase64(context);
        }

        await AskAsync(Delete, request);
    }

    public async Task<long> CountAsync(ObjectKey key) => (await FetchAsync(key)).Value?.CounterValue ?? 0;

    public Task IncrementAsync(ObjectKey key, long amount) => UpdateAsync(key, new DtOp { CounterOp = new CounterOp { Increment = amount } }, context: null);

    public async Task<DoorRead> MembersAsync(ObjectKey key)
    {
        var answer = await FetchAsync(key);
        var members = answer.Value?.SetValue.Select(member => member.ToStringUtf8()) ?? [];
        return new DoorRead(members.ToHashSet(StringComparer.Ordinal), answer.HasContext ? answer.Context.ToBase64() : null);
    }

    public Task AddAsync(ObjectKey key, string member) => UpdateAsync(key, new DtOp { SetOp = new SetOp { Adds = { Text(member) } } }, context: null);

    public Task RemoveAsync(ObjectKey key, string member, string context) => UpdateAsync(key, new DtOp { SetOp = new SetOp { Removes = { Text(member) } } }, context);

    public void Dispose()
    {
        foreach (var connection in idle.Values.SelectMany(connections => connections))
        {
            connection.Dispose();
        }
    }

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    private static ByteString Bytes(ReadOnlyMemory<byte> bytes) => ByteString.CopyFrom(bytes.Span);

    private string Shown(ObjectKey key, RpbContent content)
    {
        var name = content.Value.ToStringUtf8();
        dots.SawTag(key, content.Vtag.ToStringUtf8(), name);
        return name;
    }

    private async Task<DtFetchResp> FetchAsync(ObjectKey key)
    {
        var request = new DtFetchReq { Type = Text(key.BucketType), Bucket = Bytes(key.Bucket), Key = Bytes(key.Key), Timeout = Milliseconds };
        return DtFetchResp.Parser.ParseFrom((await AskAsync(FetchDataType, request)).Message);
    }

    private async Task UpdateAsync(ObjectKey key, DtOp change, string? context)
    {
        var request = new DtUpdateReq { Type = Text(key.BucketType), Bucket = Bytes(key.Bucket), Key = Bytes(key.Key), Op = change, Timeout = Milliseconds };
        if (context is not null)
        {
            request.Context = ByteString.FromBase64(context);
        }

        await AskAsync(UpdateDataType, request);
    }

    private async Task<(byte[] Message, string Node)> AskAsync(byte code, IMessage request)
    {
        var node = nodes.Next();
        var kept = idle.GetOrAdd(node, _ => []);
        var connection = kept.TryTake(out var one) ? one : null;
        try
        {
            connection ??= await ConnectAsync(node);
            using var limit = new CancellationTokenSource(Limit);
            var (answered, message) = await connection.AskAsync(code, request, limit.Token);
            kept.Add(connection);
            return answered == Error ? throw Failure(node, RpbErrorResp.Parser.ParseFrom(message).Errmsg.ToStringUtf8()) : (message, node);
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException)
        {
            connection?.Dispose();
            nodes.Avoid(node);
            var isRefused = failure is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
            throw new DoorException(isRefused ? "connection refused" : failure is OperationCanceledException ? "no answer in time" : "connection broken", isRetryable: true, failure);
        }
    }

    private static async Task<RiakConnection> ConnectAsync(string node)
    {
        using var limit = new CancellationTokenSource(ConnectLimit);
        return await RiakConnection.ConnectAsync(node, limit.Token);
    }

    private DoorException Failure(string node, string text)
    {
        if (text.Contains("not ready", StringComparison.Ordinal))
        {
            nodes.Avoid(node);
        }

        return new DoorException(text.Length < 80 ? text : text[..80], Transient.Any(reason => text.Contains(reason, StringComparison.Ordinal))) { IsConditionUnmet = Unmet.Contains(text) };
    }
}
