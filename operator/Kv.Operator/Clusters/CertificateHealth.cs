using System.Globalization;
using Kv.Operator.Api.Clusters;
using static Kv.Operator.Api.Conditions;

namespace Kv.Operator.Clusters;

/// <summary>Whether the certificates that nodes have in use are good, and will be for a while. Pure.</summary>
internal static class CertificateHealth
{
    /// <summary>Whoever issues certificates renews them with a third of their life left or so: with less than a tenth nobody does.</summary>
    private const int ExpiringShare = 10;

    /// <summary>Enough for a person, however long the life.</summary>
    private static readonly TimeSpan EnoughTime = TimeSpan.FromDays(14);

    /// <summary>Null where no node tells of a certificate: the condition is not there then. A node that has none yet, while others have, is no news.</summary>
    public static (bool? Holds, string Reason, string Message)? Of(Cluster cluster, ObservedCluster? observed, DateTimeOffset now)
    {
        var told = observed?.Nodes.Where(node => node.Answer?.Certificate is not null).Select(node => (node.Name, Life: node.Answer!.Certificate!)).ToList() ?? [];
        if (told.Count == 0)
        {
            // Those that had one do not answer: what was known is known no more.
            var isUnknown = cluster.Status.Conditions?.Exists(condition => condition.Type == CertificatesValid) == true && observed?.Nodes.All(node => node.Answer is not null) != true;
            return isUnknown ? (null, Reasons.NodesUnreachable, "no node that answers tells of a certificate") : null;
        }

        var bad = told.Where(one => now < one.Life.NotBefore || now >= one.Life.NotAfter).ToList();
        if (bad.Count > 0)
        {
            return (false, Reasons.CertificatesInvalid, "not good now: the certificate of " + string.Join(", ", bad.Select(one => Text(one.Name, one.Life))));
        }

        var ending = told.Where(one => one.Life.NotAfter - now < Margin(one.Life)).ToList();
        if (ending.Count > 0)
        {
            return (false, Reasons.CertificatesExpiring, "about to end, and not renewed: the certificate of " + string.Join(", ", ending.Select(one => Text(one.Name, one.Life))));
        }

        var first = told.MinBy(one => one.Life.NotAfter);
        return (true, Reasons.AsExpected, "the first to end is that of " + Text(first.Name, first.Life));
    }

    private static TimeSpan Margin(ObservedCertificate life)
    {
        var share = (life.NotAfter - life.NotBefore) / ExpiringShare;
        return share < EnoughTime ? share : EnoughTime;
    }

    private static string Text(string name, ObservedCertificate life) => string.Create(CultureInfo.InvariantCulture, $"{name} ({life.NotBefore:u} to {life.NotAfter:u})");
}
