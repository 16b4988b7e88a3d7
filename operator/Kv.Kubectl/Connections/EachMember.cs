using Grpc.Core;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Connections;

/// <summary>Questions that each node answers for itself alone, put to every member that is up.</summary>
internal static class EachMember
{
    private const int MaxAskedAtOnce = 16;

    /// <summary>The answers by the members' names; null where one cannot be reached from here, or did not answer.</summary>
    public static async Task<SortedDictionary<string, T?>> AskAsync<T>(
        NodeCaller caller, Cluster cluster, Func<Member, NodeAddress, CancellationToken, Task<T>> ask, CancellationToken cancel)
        where T : class
    {
        var answers = new SortedDictionary<string, T?>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            cluster.Members.Where(member => member.Up),
            new ParallelOptions { MaxDegreeOfParallelism = MaxAskedAtOnce, CancellationToken = cancel },
            async (member, stop) =>
            {
                var answer = await AskAsync(caller, member, ask, stop);
                lock (answers)
                {
                    answers[member.Name] = answer;
                }
            });
        return answers;
    }

    private static async Task<T?> AskAsync<T>(NodeCaller caller, Member member, Func<Member, NodeAddress, CancellationToken, Task<T>> ask, CancellationToken cancel)
        where T : class
    {
        if (caller.Access.Find(member.Name, member.Endpoints.GetValueOrDefault("admin")) is not { } address)
        {
            return null;
        }

        try
        {
            return await ask(member, address, cancel);
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            // It may have gone down just now; what the others say counts without it.
            return null;
        }
    }
}
