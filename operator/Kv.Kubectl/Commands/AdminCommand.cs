using System.CommandLine;

namespace Kv.Kubectl.Commands;

/// <summary>
/// <c>kv admin</c>: what <c>riak admin</c> does, by its words and with its arguments. What another command does already is that command; what prints, prints as Riak's does.
/// </summary>
internal static class AdminCommand
{
    private const string Examples = """
        kv admin ring-status
        kv admin bucket-type create carts '{"props":{"allow_mult":true}}'
        kv admin bucket-type activate carts
        kv admin security add-user ada password=-
        kv admin security grant riak_kv.get,riak_kv.put on carts to ada
        kv admin diag
        """;

    public static Command Create(CommandSession session)
    {
        var command = new Command("admin", "Administration by the words of Riak's `riak admin`.")
        {
            StatisticsCommand.Create(session),
            RingStatusCommand.Create(session),
            RingReadyCommand.Create(session),
            MemberStatusCommand.Create(session),
            ClusterCommand.Create(session),
            TransfersCommand.Create(session),
            DiagnosisCommand.Create(session),
            BucketTypeCommand.Create(session),
            SecurityCommand.Create(session),
            AaeCommand.Status(session, "aae-status"),
        };
        session.AddExamples(command, Examples);
        return command;
    }
}
