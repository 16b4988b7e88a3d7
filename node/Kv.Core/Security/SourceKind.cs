namespace Kv.Core.Security;

/// <summary>How who connects from some place shows who it is. Stored: values are never changed.</summary>
public enum SourceKind
{
    /// <summary>It is believed.</summary>
    Trust = 1,

    /// <summary>By the user's password.</summary>
    Password = 2,

    /// <summary>By a client certificate that the node trusts, whose common name is the user's.</summary>
    Certificate = 3,
}
