using System.CommandLine;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>How many replicas must have a write, as Riak has it; each is the bucket's where not given. And whether the write is printed.</summary>
internal sealed class WriteQuorums
{
    private readonly Option<Quorum?> w = QuorumOption.Create("--w", "Replicas that must have taken it.");
    private readonly Option<Quorum?> dw = QuorumOption.Create("--dw", "Replicas that must have it on disk.");
    private readonly Option<Quorum?> pw = QuorumOption.Create("--pw", "Primaries that must have taken it.");
    private readonly Option<Quorum?> nodeConfirms = QuorumOption.Create("--node-confirms", "Distinct nodes that must have taken it.");
    private readonly Option<string?> sloppy = QuorumOption.Switch("--sloppy-quorum", "Stand-ins of dead nodes count.");
    private readonly Option<uint?> nVal = QuorumOption.NVal();
    private readonly Option<bool> returnBody = new("--return-body") { Description = "Print what is there after the write." };

    public WriteQuorums(Command command)
    {
        foreach (var option in new Option[] { w, dw, pw, nodeConfirms, sloppy, nVal, returnBody })
        {
            command.Add(option);
        }
    }

    public PutRequest ReadPut(ParseResult parsed, Key key)
    {
        var request = new PutRequest
        {
            Key = key,
            W = parsed.GetValue(w),
            Dw = parsed.GetValue(dw),
            Pw = parsed.GetValue(pw),
            NodeConfirms = parsed.GetValue(nodeConfirms),
            ReturnBody = parsed.GetValue(returnBody),
        };
        if (QuorumOption.Read(parsed, sloppy) is { } isSloppy)
        {
            request.SloppyQuorum = isSloppy;
        }

        if (parsed.GetValue(nVal) is { } number)
        {
            request.NVal = number;
        }

        return request;
    }

    public UpdateDataTypeRequest ReadUpdate(ParseResult parsed, Key key)
    {
        var request = new UpdateDataTypeRequest
        {
            Key = key,
            W = parsed.GetValue(w),
            Dw = parsed.GetValue(dw),
            Pw = parsed.GetValue(pw),
            NodeConfirms = parsed.GetValue(nodeConfirms),
            ReturnBody = parsed.GetValue(returnBody),
        };
        if (QuorumOption.Read(parsed, sloppy) is { } isSloppy)
        {
            request.SloppyQuorum = isSloppy;
        }

        if (parsed.GetValue(nVal) is { } number)
        {
            request.NVal = number;
        }

        return request;
    }
}
