using System.Text;
using Grpc.Core;

namespace Kv.Client;

/// <summary>Who a client is, where the cluster asks for it (node/docs/security.md). No record, so that nothing prints the password.</summary>
public sealed class KvCredentials(string user, string password)
{
    private readonly string _header = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    public string User { get; } = user;

    public override string ToString() => User;

    internal Metadata AddTo(Metadata metadata)
    {
        metadata.Add("authorization", _header);
        return metadata;
    }
}
