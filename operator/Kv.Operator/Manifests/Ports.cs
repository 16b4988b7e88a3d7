namespace Kv.Operator.Manifests;

/// <summary>The ports of a node: protocol name and number, as applications and other nodes know them.</summary>
internal static class Ports
{
    public const string Grpc = "grpc";
    public const string Peer = "peer";
    public const string Admin = "admin";
    public const string RiakHttp = "riak-http";
    public const string RiakPb = "riak-pb";
    public const string Metrics = "metrics";

    public static IReadOnlyList<(string Name, int Number)> All { get; } = [(RiakPb, 8087), (RiakHttp, 8098), (Grpc, 9080), (Peer, 9081), (Admin, 9082), (Metrics, 9464)];

    /// <summary>Those that applications use.</summary>
    public static IReadOnlyList<string> OfClients { get; } = [RiakPb, RiakHttp, Grpc];

    public static int Number(string name) => All.First(port => port.Name == name).Number;
}
