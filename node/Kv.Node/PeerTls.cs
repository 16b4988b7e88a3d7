namespace Kv.Node;

/// <summary>How nodes speak to each other. A ring goes from one to the next node by node.</summary>
public enum PeerTls
{
    /// <summary>In the open.</summary>
    Off,

    /// <summary>By TLS to others; from others both ways.</summary>
    On,

    /// <summary>By TLS alone, with certificates on both sides.</summary>
    Required,
}
