using Grpc.Core;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Clusters;

/// <summary>Calls that any member of a ring can answer: it carries them to the agreement of all.</summary>
internal static class AnyMember
{
    private const int MaxTries = 3;

    /// <summary>
    /// Asks one member after another, three at most: one that does not answer, sees no majority, or holds another document than the call was decided by is no reason to give up.
    /// Throws what the last of them did.
    /// </summary>
    /// <param name="addresses">Admin ports of valid members that answered lately.</param>
    /// <param name="call">Asks the member at an address.</param>
    public static async Task<T> AskAsync<T>(IEnumerable<string> addresses, Func<string, Task<T>> call)
    {
        Exception? last = null;
        foreach (var address in addresses.Take(MaxTries))
        {
            try
            {
                return await call(address);
            }
            catch (NodeUnreachableException e)
            {
                last = e;
            }
            catch (NodeRefusedException e) when (e.Code is StatusCode.Aborted || e.Word == Refusals.DocumentChanged)
            {
                last = e;
            }
        }

        throw last ?? new NodeUnreachableException("the ring", "has no member that answers", null);
    }

    /// <summary>Admin ports of the valid members that answered.</summary>
    public static IEnumerable<string> AddressesOf(ObservedCluster observed) => observed.Ring is not { } ring ? [] : observed.Nodes
        .Where(node => node.Answer is { } answer && ring.MemberById(answer.Id) is { State: MemberState.Valid })
        .Select(node => node.AdminAddress);
}
