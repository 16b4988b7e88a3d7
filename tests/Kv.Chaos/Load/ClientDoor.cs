using System.Text;
using Kv.Chaos.Checks;
using Kv.Client;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.Chaos.Load;

/// <summary>The C# client.</summary>
internal sealed class ClientDoor(KvClusterClient client, DotCheck dots) : IKvDoor, IDataTypeDoor
{
    /// <summary>All owners of a key and nobody else have to answer.</summary>
    private static readonly GetOptions OwnersAlone = new() { Pr = QuorumValue.All, R = QuorumValue.All, NotFoundOk = true, SloppyQuorum = false, Timeout = TimeSpan.FromSeconds(20) };

    private static readonly GetOptions Primaries = new() { Pr = QuorumValue.Quorum };

    /// <summary>As <see cref="OwnersAlone"/>.</summary>
    private static readonly DataTypeFetchOptions DataTypeOwnersAlone = new() { Pr = QuorumValue.All, R = QuorumValue.All, NotFoundOk = true, SloppyQuorum = false, Timeout = TimeSpan.FromSeconds(20) };

    public string Name => "client";

    public Task<DoorRead> GetAsync(ObjectKey key, bool fromPrimaries) => ReadAsync(key, fromPrimaries ? Primaries : null);

    /// <summary>What all owners have together; or nothing, where it must be on all and is not.</summary>
    public Task<DoorRead> GetFromOwnersAsync(ObjectKey key, bool mustBeOnAll) => ReadAsync(key, mustBeOnAll ? OwnersAlone with { NotFoundOk = false } : OwnersAlone);

    public Task<string> PutAsync(ObjectKey key, DoorPut put) => TriedAsync(async () =>
    {
        var options = new PutOptions
        {
            Context = Bytes(put.Context),
            Pw = put.ToPrimaries ? QuorumValue.Quorum : QuorumValue.Default,
            IfNoneMatch = put.Condition == PutCondition.NothingThere,
            IfNotModified = put.Condition == PutCondition.NotModified,
        };
        var value = Encoding.UTF8.GetBytes(put.Value);
        var term = IndexCheck.TermOf(key, NameOf(value));
        await client.PutAsync(key, new KvValue(value) { Indexes = term is null ? [] : [new(IndexCheck.Field, term)] }, options);
        return Name;
    });

    public Task DeleteAsync(ObjectKey key, string? context) => TriedAsync(async () => await client.DeleteAsync(key, new DeleteOptions { Context = Bytes(context) }));

    public Task<long> CountAsync(ObjectKey key) => CountAsync(key, options: null);

    /// <summary>What all owners have together.</summary>
    public Task<long> CountFromOwnersAsync(ObjectKey key) => CountAsync(key, DataTypeOwnersAlone);

    public Task IncrementAsync(ObjectKey key, long amount) => UpdateAsync(key, DataTypeChange.Increment(amount), context: null);

    public Task<DoorRead> MembersAsync(ObjectKey key) => MembersAsync(key, options: null);

    /// <inheritdoc cref="CountFromOwnersAsync"/>
    public Task<DoorRead> MembersFromOwnersAsync(ObjectKey key) => MembersAsync(key, DataTypeOwnersAlone);

    public Task AddAsync(ObjectKey key, string member) => UpdateAsync(key, DataTypeChange.Add(member), context: null);

    public Task RemoveAsync(ObjectKey key, string member, string context) => UpdateAsync(key, DataTypeChange.Remove(member), context);

    /// <inheritdoc cref="PaddedValue.NameOf"/>
    public static string NameOf(ReadOnlySpan<byte> value) => PaddedValue.NameOf(Encoding.UTF8.GetString(value));

    private static byte[] Bytes(string? context) => context is null ? [] : Convert.FromBase64String(context);

    private static async Task<T> TriedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (KvException failure)
        {
            throw new DoorException($"{failure.Code}{(failure.IsIndeterminate ? ", fate unknown" : "")}", failure.IsRetryable, failure)
            {
                IsConditionUnmet = failure.Code is KvErrorCode.MatchFound or KvErrorCode.Modified or KvErrorCode.NotFoundForCondition,
            };
        }
    }

    private Task<long> CountAsync(ObjectKey key, DataTypeFetchOptions? options) =>
        TriedAsync(async () => (await client.FetchDataTypeAsync(key, options)).Value is DataTypeValue.Counter counter ? (long)counter.Value : 0);

    private Task<DoorRead> MembersAsync(ObjectKey key, DataTypeFetchOptions? options) => TriedAsync(async () =>
    {
        var view = await client.FetchDataTypeAsync(key, options);
        var members = view.Value is DataTypeValue.Set set ? set.Members : [];
        return new DoorRead(members.Select(member => Encoding.UTF8.GetString(member.Span)).ToHashSet(StringComparer.Ordinal), view.Context.IsEmpty ? null : Convert.ToBase64String(view.Context.Span));
    });

    private async Task UpdateAsync(ObjectKey key, DataTypeOperation change, string? context) =>
        await TriedAsync(async () => await client.UpdateDataTypeAsync(key, change, new DataTypeUpdateOptions { Context = Bytes(context) }));

    private Task<DoorRead> ReadAsync(ObjectKey key, GetOptions? options) => TriedAsync(async () => await client.GetAsync(key, options) switch
    {
        GetResult.Found found => new DoorRead(
            found.Object.Siblings.Where(sibling => !sibling.IsTombstone).Select(sibling => Shown(key, sibling)).ToHashSet(StringComparer.Ordinal),
            Convert.ToBase64String(found.Object.Context.Span)),
        GetResult.NotFound none => new DoorRead(new HashSet<string>(), none.Context.IsEmpty ? null : Convert.ToBase64String(none.Context.Span)),
        var other => throw new InvalidOperationException($"a get without a condition gave {other}"),
    });

    private string Shown(ObjectKey key, KvSibling sibling)
    {
        var name = NameOf(sibling.Content.Value.Span);
        dots.SawTag(key, sibling.VTag, name);
        return name;
    }
}
