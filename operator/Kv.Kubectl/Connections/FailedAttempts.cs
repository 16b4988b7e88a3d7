using Grpc.Core;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Connections;

/// <summary>What came of asking node after node in vain, as one error: what a node said counts for more than that others could not be reached.</summary>
internal sealed class FailedAttempts(string origin, NodePort port, TimeSpan timeout)
{
    private const int MaxReasons = 5;
    private readonly List<string> reasons = [];
    private CliException? said;

    public void Add(Error error) => said = CallErrors.Of(error);

    public void Add(NodeAddress node, RpcException e)
    {
        if (CallErrors.IsSaid(e))
        {
            said = CallErrors.Of(e, port, "");
        }

        reasons.Add($"{node.Name} ({node.Of(port)}): {CallErrors.ReasonOf(e)}");
    }

    public CliException ToException()
    {
        if (said is not null)
        {
            return said;
        }

        var more = reasons.Count > MaxReasons ? $"; and {reasons.Count - MaxReasons} more" : "";
        return new CliException(ExitCode.Unavailable, reasons.Count == 0
            ? $"no answer within {timeout.TotalSeconds} s"
            : $"no node answered. Tried {origin}: {string.Join("; ", reasons.Take(MaxReasons))}{more}");
    }
}
