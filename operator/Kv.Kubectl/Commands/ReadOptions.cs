using System.CommandLine;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>How many replicas a read asks, as Riak has it; each is the bucket's where not given.</summary>
internal sealed class ReadOptions
{
    private readonly Option<Quorum?> r = QuorumOption.Create("--r", "Replicas that must answer.");
    private readonly Option<Quorum?> pr = QuorumOption.Create("--pr", "Primaries that must answer.");
    private readonly Option<Quorum?> nodeConfirms = QuorumOption.Create("--node-confirms", "Distinct nodes that must answer.");
    private readonly Option<string?> basicQuorum = QuorumOption.Switch("--basic-quorum", "Give up when a quorum has nothing.");
    private readonly Option<string?> notFoundOk = QuorumOption.Switch("--notfound-ok", "`Nothing here` counts as an answer.");
    private readonly Option<string?> sloppy = QuorumOption.Switch("--sloppy-quorum", "Stand-ins of dead nodes count.");
    private readonly Option<uint?> nVal = QuorumOption.NVal();

    public ReadOptions(Command command)
    {
        foreach (var option in new Option[] { r, pr, nodeConfirms, basicQuorum, notFoundOk, sloppy, nVal })
        {
            command.Add(option);
        }
    }

    public GetRequest Read(ParseResult parsed, Key key)
    {
        var request = new GetRequest { Key = key, R = parsed.GetValue(r), Pr = parsed.GetValue(pr), NodeConfirms = parsed.GetValue(nodeConfirms) };
        if (QuorumOption.Read(parsed, basicQuorum) is { } basic)
        {
            request.BasicQuorum = basic;
        }

        if (QuorumOption.Read(parsed, notFoundOk) is { } isOk)
        {
            request.NotfoundOk = isOk;
        }

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

    public FetchDataTypeRequest ReadFetch(ParseResult parsed, Key key)
    {
        var request = new FetchDataTypeRequest { Key = key, R = parsed.GetValue(r), Pr = parsed.GetValue(pr), NodeConfirms = parsed.GetValue(nodeConfirms) };
        if (QuorumOption.Read(parsed, basicQuorum) is { } basic)
        {
            request.BasicQuorum = basic;
        }

        if (QuorumOption.Read(parsed, notFoundOk) is { } isOk)
        {
            request.NotfoundOk = isOk;
        }

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
