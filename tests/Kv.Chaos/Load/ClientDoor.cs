using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.Chaos.Load;

/// <summary>The C# client.</summary>
internal sealed class ClientDoor(KvClusterClient client) : IKvDoor
{
    /// <summary>All owners of a key and nobody else have to answer.</summary>
    private static readonly GetOptions OwnersAlone = new() { Pr = QuorumValue.All, R = QuorumValue.All, NotFoundOk = true, SloppyQuorum = false, Timeout = TimeSpan.FromSeconds(20) };

    public string Name => "client";

    public Task<DoorRead> GetAsync(ObjectKey key) => ReadAsync(key, options: null);

    /// <summary>What all owners have together; or nothing, where it must be on all and is not.</summary>
    public Task<DoorRead> GetFromOwnersAsync(ObjectKey key, bool mustBeOnAll) => ReadAsync(key, mustBeOnAll ? OwnersAlone with { NotFoundOk = false } : OwnersAlone);

    public Task<string> PutAsync(ObjectKey key, string value, string? context) => TriedAsync(async () =>
    {
        await client.PutAsync(key, new KvValue(Encoding.UTF8.GetBytes(value)), new PutOptions { Context = Bytes(context) });
        return Name;
    });

    public Task DeleteAsync(ObjectKey key, string? context) => TriedAsync(async () => await client.DeleteAsync(key, new DeleteOptions { Context = Bytes(context) }));

    private static byte[] Bytes(string? context) => context is null ? [] : Convert.FromBase64String(context);

    private static async Task<T> TriedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (KvException failure)
        {
            throw new DoorException($"{failure.Code}{(failure.IsIndeterminate ? ", fate unknown" : "")}", failure.IsRetryable, failure);
        }
    }

    private Task<DoorRead> ReadAsync(ObjectKey key, GetOptions? options) => TriedAsync(async () => await client.GetAsync(key, options) switch
    {
        GetResult.Found found => new DoorRead(
            found.Object.Siblings.Where(sibling => !sibling.IsTombstone).Select(sibling => Encoding.UTF8.GetString(sibling.Content.Value.Span)).ToHashSet(StringComparer.Ordinal),
            Convert.ToBase64String(found.Object.Context.Span)),
        GetResult.NotFound none => new DoorRead(new HashSet<string>(), none.Context.IsEmpty ? null : Convert.ToBase64String(none.Context.Span)),
        var other => throw new InvalidOperationException($"a get without a condition gave {other}"),
    });
}
